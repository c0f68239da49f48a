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

    def inputs(self, rows: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]: ...

    def collate(self, rows: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Collation:
    pad_id: int
    device: torch.device

    def batch(self, sequences: Sequences, rows: Tensor) -> dict[str, Tensor]:
        """The rows int64 [n]: `inputs`, and the labels [n] of the task."""
        return self._uploaded(sequences.collate(rows, pad_id=self.pad_id, multiple_of=self._multiple_of))

    def inputs(self, sequences: Sequences, rows: Tensor) -> dict[str, Tensor]:
        """What a model is called with: `input_ids` and `attention_mask` [n, longest], `token_type_ids` where told."""
        return self._uploaded(sequences.inputs(rows, pad_id=self.pad_id, multiple_of=self._multiple_of))

    @property
    def _multiple_of(self) -> int:
        return _MULTIPLES.get(self.device.type, 1)

    def _uploaded(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: upload(tensor, self.device) for name, tensor in tensors.items()}
