"""The bits of a tensor as one number, by which a write is noticed that no version counts."""

from __future__ import annotations

import torch
from torch import Tensor

# Wider sums cost twenty times as much on a CPU; sums of integers wrap, so their order does not matter.
_SUMMED_AS = {4: torch.int32, 8: torch.int64}


def sum_of_bits(tensor: Tensor) -> Tensor:
    """The elements read as integers and added up, int64 []; reads every number once, and the host does not wait."""
    width = _SUMMED_AS.get(tensor.element_size())
    if width is not None:
        return tensor.view(width).sum(dtype=width).long()
    return tensor.contiguous().flatten().view(torch.uint8).sum(dtype=torch.int64)
