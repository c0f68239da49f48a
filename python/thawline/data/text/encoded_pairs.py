"""Premise and hypothesis as token sequences for sequence classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thawline.data.text.records import PAIR_LABELS, Pair, PairLabel
from thawline.data.text.token_rows import TokenRows
from thawline.data.text.tokenization import PairTokenizer


@dataclass(frozen=True)
class EncodedPairs:
    """labels int64 [rows]: positions in `label_names`, which are in the order of a model's outputs."""

    tokens: TokenRows
    labels: Tensor
    label_names: tuple[PairLabel, ...] = PAIR_LABELS

    def __len__(self) -> int:
        return len(self.tokens)

    def numbered_as(self, label_names: tuple[PairLabel, ...]) -> EncodedPairs:
        """The same pairs for a model that numbers its outputs otherwise."""
        numbers = torch.tensor([label_names.index(name) for name in self.label_names])
        return EncodedPairs(self.tokens, numbers[self.labels], label_names)

    def collate(self, pairs: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]:
        """Inputs of a transformers classification model for the pairs int64 [n], padded as `TokenRows.pad`."""
        return {
            **self.tokens.pad(pairs, pad_id=pad_id, multiple_of=multiple_of)._asdict(),
            "labels": self.labels[pairs],
        }


def encode_pairs(pairs: Sequence[Pair], tokenizer: PairTokenizer, *, max_length: int = 128) -> EncodedPairs:
    """Pairs above `max_length` tokens lose tokens at the end of the longer of the two texts, as is customary."""
    texts = [(pair.premise, pair.hypothesis) for pair in pairs]
    encoded = tokenizer.encode(texts, max_length=max_length, truncation="longest_first")
    # The first encoding only: the rest is what was cut off.
    rows = [np.asarray(encodings[0].ids, np.int32) for encodings in encoded]
    labels = torch.tensor([PAIR_LABELS.index(pair.label) for pair in pairs], dtype=torch.int64)
    return EncodedPairs(TokenRows.from_arrays(rows), labels)
