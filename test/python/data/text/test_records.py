from dataclasses import replace

import pytest
from text_examples import make_question

from thawline.data.text.records import Answer, Pair, check_questions, parse_pair_label, records_sha256
from thawline.errors import UserError


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("entailment", "entailment"),
        ("Neutral", "neutral"),
        (" CONTRADICTION ", "contradiction"),
        ("contradictory", "contradiction"),
        ("-", None),
        ("LABEL_0", None),
        ("", None),
    ],
)
def test_labels_go_by_name(name: str, label: str | None) -> None:
    assert parse_pair_label(name) == label


QUESTION = make_question("Ada built it.", "Ada")


@pytest.mark.parametrize(
    "answer", [Answer("Ada", 1), Answer("it.", -3), Answer("Adam", 0), Answer("it.", 99), Answer("", 0)]
)
def test_an_answer_that_is_elsewhere_is_refused(answer: Answer) -> None:
    with pytest.raises(UserError, match="row 7") as caught:
        check_questions([replace(QUESTION, answers=(QUESTION.answers[0], answer))], ["row 7"])
    assert caught.value.code == "wrong_data"


def test_an_error_shows_what_is_at_the_place() -> None:
    with pytest.raises(UserError) as caught:
        check_questions(
            [make_question("\ufeffAda", "Ada"), replace(QUESTION, context="\ufeffAda")], ["first", "second"]
        )
    assert "comes twice: first; second" in str(caught.value)
    with pytest.raises(UserError) as caught:
        check_questions([replace(QUESTION, context="\ufeffAda")], ["row 7"])
    assert str(caught.value) == ("row 7: the answer 'Ada' is not at character 0 of its context, where '\\ufeffAd' is")


def test_a_question_needs_an_answer() -> None:
    with pytest.raises(UserError, match="row 7 has no answer"):
        check_questions([replace(QUESTION, answers=())], ["row 7"])


def test_the_digest_sees_every_field_and_the_order() -> None:
    other = replace(QUESTION, id="other")
    variants = [
        [QUESTION],
        [QUESTION, other],
        [other, QUESTION],
        [replace(QUESTION, context="Ada built it!")],
        [replace(QUESTION, answers=(Answer("it", 10),))],
        [replace(QUESTION, article=1)],
    ]
    digests = {records_sha256(variant) for variant in variants}
    assert len(digests) == len(variants)
    assert records_sha256([replace(QUESTION)]) == records_sha256([QUESTION])
    pairs = [Pair("ab", "c", "neutral"), Pair("a", "bc", "neutral"), Pair("a", "bc", "entailment")]
    assert len({records_sha256([pair]) for pair in pairs}) == 3
