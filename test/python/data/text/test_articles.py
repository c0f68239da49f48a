from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_examples import XQUAD_FOLDER, make_question, needs_xquad

from thawline.data.text.articles import questions_of_articles, seeded_article_order, split_articles
from thawline.data.text.squad import read_xquad
from thawline.errors import UserError

QUESTIONS = [replace(make_question("Ada", "Ada", id=f"q{i}"), article=article) for i, article in enumerate("001122")]
QUESTIONS = [replace(question, article=int(question.article)) for question in QUESTIONS]


def test_a_given_order_is_cut_into_three_parts() -> None:
    split = split_articles([4, 0, 2, 1, 3], train=2, dev=1, test=2)
    assert split == ((4, 0), (2,), (1, 3))


@given(seed=st.integers(0, 2**32 - 1), num_articles=st.integers(3, 60), data=st.data())
def test_no_article_is_in_two_parts(seed: int, num_articles: int, data: st.DataObject) -> None:
    train = data.draw(st.integers(1, num_articles - 2))
    dev = data.draw(st.integers(1, num_articles - train - 1))
    test = data.draw(st.integers(1, num_articles - train - dev))
    order = seeded_article_order(seed, num_articles)
    split = split_articles(order, train=train, dev=dev, test=test)
    assert sorted(order) == [*range(num_articles)]
    assert [len(part) for part in split] == [train, dev, test]
    assert len({*split.train, *split.dev, *split.test}) == train + dev + test


def test_the_order_is_a_function_of_the_seed() -> None:
    assert seeded_article_order(3) == seeded_article_order(3) != seeded_article_order(4)
    assert len(seeded_article_order(3)) == 48


@pytest.mark.parametrize(("order", "says"), [((0, 1), r"1 \+ 1 \+ 1 articles"), ((0, 1, 0), "twice")])
def test_an_order_that_does_not_fit_is_refused(order: tuple[int, ...], says: str) -> None:
    with pytest.raises(UserError, match=says):
        split_articles(order, train=1, dev=1, test=1)


def test_questions_keep_their_order() -> None:
    chosen = questions_of_articles(QUESTIONS, (2, 0))
    assert [question.id for question in chosen] == ["q0", "q1", "q4", "q5"]


def test_an_article_that_is_not_there_and_questions_without_articles_are_refused() -> None:
    with pytest.raises(UserError, match="there is no article at position 3"):
        questions_of_articles(QUESTIONS, (0, 3))
    with pytest.raises(UserError, match="do not say which article"):
        questions_of_articles([replace(QUESTIONS[0], article=None)], (0,))


@needs_xquad
def test_a_test_article_of_the_real_xquad_is_held_out_in_all_languages() -> None:
    split = split_articles(seeded_article_order(0))
    read = read_xquad(Path(XQUAD_FOLDER), ["en", "zh", "ar"])
    train = {question.id for question in questions_of_articles(read["en"], split.train)}
    for questions in read.values():
        held_out = {question.id for question in questions_of_articles(questions, split.test)}
        assert held_out
        assert train.isdisjoint(held_out)
