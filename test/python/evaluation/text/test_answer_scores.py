import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_examples import make_question

from thawline.data.text.records import Answer, Question
from thawline.evaluation.text.answer_scores import score_answers, token_f1

WORDS = st.lists(st.sampled_from(["red", "fox", "dog", "hill"]), max_size=6).map(" ".join)


def as_it_is(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("predicted", "gold", "f1"),
    [
        ("red fox", "red fox", 1),
        ("red fox", "fox red", 1),
        ("red fox", "fox", 2 / 3),
        ("red red fox", "red", 0.5),  # a multiset: one of the two is shared
        ("red", "dog", 0),
        ("", "red", 0),
        ("", "", 0),
    ],
)
def test_f1_of_the_tokens(predicted: str, gold: str, f1: float) -> None:
    assert token_f1(predicted, gold) == pytest.approx(f1)


@given(first=WORDS, second=WORDS)
def test_f1_is_symmetric_and_bounded(first: str, second: str) -> None:
    assert token_f1(first, second) == token_f1(second, first)
    assert 0 <= token_f1(first, second) <= 1
    assert (token_f1(first, second) == 1) == (sorted(first.split()) == sorted(second.split()) != [])


@given(first=WORDS, second=WORDS)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(first: str, second: str) -> None:
    predicted, gold = first.split(), second.split()
    shared = sum(min(predicted.count(word), gold.count(word)) for word in {*predicted})
    if shared == 0:
        assert token_f1(first, second) == 0
    else:
        precision, recall = shared / len(predicted), shared / len(gold)
        assert token_f1(first, second) == pytest.approx(2 * precision * recall / (precision + recall))


def test_the_best_gold_answer_counts_for_each_measure() -> None:
    context = "red fox on hill"
    question = Question("q", "?", context, (Answer("fox on hill", 4), Answer("red", 0)), 0, None)
    assert score_answers([question], {"q": "red"}, as_it_is) == (100, 100)
    assert score_answers([question], {"q": "fox on"}, as_it_is) == (0, pytest.approx(80))


def test_a_missing_prediction_scores_zero_and_still_counts() -> None:
    questions = [make_question("red fox", "fox", id="a"), make_question("red fox", "red", id="b")]
    assert score_answers(questions, {"a": "fox", "other": "red"}, as_it_is) == (50, 50)
    assert score_answers(questions, {}, as_it_is) == (0, 0)


@given(predictions=st.dictionaries(st.sampled_from(["a", "b", "c"]), WORDS))
def test_scores_are_percentages_and_a_match_is_never_worth_less_than_its_f1(predictions: dict[str, str]) -> None:
    questions = [make_question("red fox on hill", text, id=key) for key, text in [("a", "red fox"), ("b", "hill")]]
    exact_match, f1 = score_answers(questions, predictions, as_it_is)
    assert 0 <= exact_match <= f1 <= 100
