"""Token sequences of many lengths in one flat tensor, and their padding to batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class PaddedTokens(NamedTuple):
    """int64 [n, L] each; the mask is 1 on tokens and 0 on padding."""

    input_ids: Tensor
    attention_mask: Tensor


@dataclass(frozen=True)
class TokenRows:
    """Row i is `ids[starts[i] : starts[i + 1]]`: ids int32 [tokens], starts int64 [rows + 1]."""

    ids: Tensor
    starts: Tensor

    @classmethod
    def from_arrays(cls, rows: Sequence[npt.NDArray[np.int32]]) -> TokenRows:
        starts = torch.zeros(len(rows) + 1, dtype=torch.int64)
        starts[1:] = torch.tensor([len(row) for row in rows], dtype=torch.int64).cumsum(0)
        return cls(torch.from_numpy(np.concatenate([np.empty(0, np.int32), *rows])), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Tensor:
        """int64 [rows]."""
        return self.starts.diff()

    def slice_of(self, row: int) -> slice:
        """Where the row is in `ids`, and in whatever else has one entry a token."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def pad(self, rows: Tensor, *, pad_id: int, multiple_of: int = 1) -> PaddedTokens:
        """The rows int64 [n], padded on the right to the longest of them, rounded up to `multiple_of`.

        Tensor cores like multiples of 8; compiled or captured models like few different lengths.
        """
        lengths = self.lengths[rows]
        width = -(-int(lengths.max()) // multiple_of) * multiple_of
        columns = torch.arange(width)
        is_token = columns < lengths[:, None]
        places = (self.starts[rows][:, None] + columns).where(is_token, 0)
        input_ids = self.ids[places].to(torch.int64).where(is_token, pad_id)
        return PaddedTokens(input_ids, is_token.to(torch.int64))
