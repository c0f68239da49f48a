"""From rows of tokenised data to padded tensors on the device of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from thawline.data.text.token_rows import TokenRows
from thawline.data.upload import upload

# Tensor cores compute in tiles; on a CPU every padded position costs.
_MULTIPLES = {"cuda": 8}


class Sequences(Protocol):
    """Tokenised data with labels: windows of questions, or pairs."""

    @property
    def tokens(self) -> TokenRows: ...

    def __len__(self) -> int: ...

    def collate(self, rows: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Collation:
    pad_id: int
    device: torch.device

    def batch(self, sequences: Sequences, rows: Tensor) -> dict[str, Tensor]:
        """The rows int64 [n]: `input_ids` and `attention_mask` [n, longest], and the labels [n] of the task."""
        multiple_of = _MULTIPLES.get(self.device.type, 1)
        collated = sequences.collate(rows, pad_id=self.pad_id, multiple_of=multiple_of)
        return {name: upload(tensor, self.device) for name, tensor in collated.items()}
