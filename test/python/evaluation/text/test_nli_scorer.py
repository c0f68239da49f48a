import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.data.text.records import PAIR_LABELS, Pair
from thawline.errors import UserError
from thawline.evaluation.text.nli_scorer import predict_labels, read_label_names, score_pairs

LABELS = st.sampled_from(PAIR_LABELS)


def test_accuracy_is_a_percentage() -> None:
    pairs = [Pair("a", "b", "neutral"), Pair("c", "d", "entailment")]
    assert score_pairs(pairs, ["neutral", "entailment"]) == 100
    assert score_pairs(pairs, ["neutral", "neutral"]) == 50
    assert score_pairs(pairs, ["entailment", "neutral"]) == 0


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1), st.permutations(PAIR_LABELS))
def test_the_order_of_a_models_outputs_makes_no_difference(rows: list[tuple[str, str]], order: list[str]) -> None:
    pairs = [Pair("a", "b", gold) for gold, _ in rows]
    logits = torch.zeros(len(rows), 3)
    for row, (_, predicted) in enumerate(rows):
        logits[row, order.index(predicted)] = 1
    names = read_label_names(dict(enumerate(order)))
    assert predict_labels(logits, names) == [predicted for _, predicted in rows]
    accuracy = score_pairs(pairs, predict_labels(logits, names))
    assert accuracy == pytest.approx(100 * sum(gold == predicted for gold, predicted in rows) / len(rows))


def test_the_first_of_equal_logits_wins() -> None:
    assert predict_labels(torch.tensor([[1.0, 2.0, 2.0]]), PAIR_LABELS) == ["neutral"]


def test_names_come_in_the_order_of_the_outputs_and_in_any_case() -> None:
    assert read_label_names({2: "ENTAILMENT", 0: "Contradiction", 1: "neutral"}) == (
        "contradiction",
        "neutral",
        "entailment",
    )


@pytest.mark.parametrize(
    "names",
    [
        {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"},
        {0: "entailment", 1: "neutral"},
        {0: "entailment", 1: "neutral", 2: "neutral"},
        {0: "entailment", 1: "neutral", 3: "contradiction"},
        {0: "entailment", 1: "neutral", 2: "contradiction", 3: "other"},
    ],
)
def test_outputs_without_the_three_names_are_refused(names: dict[int, str]) -> None:
    with pytest.raises(UserError, match=f"the model calls its outputs {', '.join(names.values())}") as caught:
        read_label_names(names)
    assert caught.value.code == "invalid_model"
