"""Premise and hypothesis as token sequences for sequence classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from thawline.data.text.records import PAIR_LABELS, Pair, PairLabel
from thawline.data.text.token_rows import TokenRows
from thawline.data.text.tokenization import PairTokenizer


@dataclass(frozen=True)
class EncodedPairs:
    """labels int64 [rows]: positions in `label_names`, which are in the order of a model's outputs.

    segments int8 [tokens]: which of the two texts each token is of, as BERT's kind of model is told; None where the
    tokenizer makes no difference.
    """

    tokens: TokenRows
    labels: Tensor
    segments: Tensor | None
    label_names: tuple[PairLabel, ...] = PAIR_LABELS

    def __len__(self) -> int:
        return len(self.tokens)

    def numbered_as(self, label_names: tuple[PairLabel, ...]) -> EncodedPairs:
        """The same pairs for a model that numbers its outputs otherwise."""
        numbers = torch.tensor([label_names.index(name) for name in self.label_names])
        return replace(self, labels=numbers[self.labels], label_names=label_names)

    def inputs(self, pairs: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]:
        """Inputs of a transformers classification model for the pairs int64 [n], padded as `TokenRows.pad`."""
        batch = self.tokens.pad(pairs, pad_id=pad_id, multiple_of=multiple_of)._asdict()
        if self.segments is not None:
            rows = TokenRows(self.segments, self.tokens.starts)
            batch["token_type_ids"] = rows.pad(pairs, pad_id=0, multiple_of=multiple_of).input_ids
        return batch

    def collate(self, pairs: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]:
        """The inputs, and what such a model learns: `labels` int64 [n]."""
        return {**self.inputs(pairs, pad_id=pad_id, multiple_of=multiple_of), "labels": self.labels[pairs]}


def encode_pairs(pairs: Sequence[Pair], tokenizer: PairTokenizer, *, max_length: int = 128) -> EncodedPairs:
    """Pairs above `max_length` tokens lose tokens at the end of the longer of the two texts, as is customary."""
    texts = [(pair.premise, pair.hypothesis) for pair in pairs]
    encoded = tokenizer.encode(texts, max_length=max_length, truncation="longest_first")
    rows: list[npt.NDArray[np.int32]] = []
    segments: list[npt.NDArray[np.int8]] = [np.empty(0, np.int8)]
    # The first encoding only: the rest is what was cut off.
    for encoding, *_ in encoded:
        rows.append(np.asarray(encoding.ids, np.int32))
        segments.append(np.asarray(encoding.type_ids, np.int8))
    labels = torch.tensor([PAIR_LABELS.index(pair.label) for pair in pairs], dtype=torch.int64)
    told = torch.from_numpy(np.concatenate(segments))
    is_told = tokenizer.gives_segments and bool(told.any())
    return EncodedPairs(TokenRows.from_arrays(rows), labels, told if is_told else None)
