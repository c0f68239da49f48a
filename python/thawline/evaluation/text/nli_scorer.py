"""Accuracy of natural language inference, labels compared by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from thawline.data.text.records import PAIR_LABELS, Pair, PairLabel, parse_pair_label
from thawline.errors import UserError


def score_pairs(pairs: Sequence[Pair], predictions: Sequence[PairLabel]) -> float:
    """The percentage, 0 to 100, of pairs whose predicted label is theirs."""
    assert len(pairs) == len(predictions) > 0
    correct = sum(pair.label == prediction for pair, prediction in zip(pairs, predictions, strict=True))
    return 100 * correct / len(pairs)


def predict_labels(logits: Tensor, label_names: Sequence[PairLabel]) -> list[PairLabel]:
    """The name of the largest of each row's logits [n, 3]; `label_names[i]` is that of output i. Ties: the first."""
    assert logits.shape[1] == len(label_names)
    return [label_names[i] for i in logits.argmax(dim=1).tolist()]


def read_label_names(id2label: Mapping[int, str]) -> tuple[PairLabel, ...]:
    """The names of a model's outputs from its configuration's `id2label`: models number them differently.

    Raises UserError: `invalid_model` when they are not the three labels, each once.
    """
    names = [parse_pair_label(id2label[i]) for i in sorted(id2label)]
    known = [name for name in names if name is not None]
    if sorted(known) != sorted(PAIR_LABELS) or sorted(id2label) != list(range(len(PAIR_LABELS))):
        given = ", ".join(str(id2label[i]) for i in sorted(id2label))
        raise UserError(
            "invalid_model",
            f"the model calls its outputs {given}, not {', '.join(PAIR_LABELS)} in any order",
            hint="set `id2label` in the model's config.json to what each output means",
        )
    return tuple(known)
