"""Whether tensors are still what they were: asked at every boundary before what came of them is used again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

# Address, version and sum of bits of each tensor.
Fingerprint = tuple[tuple[int, int, int], ...]

# Wider sums cost twenty times as much on a CPU; sums of integers wrap, so their order does not matter.
_SUMMED_AS = {4: torch.int32, 8: torch.int64}


@torch.no_grad()
def fingerprint(tensors: Iterable[Tensor]) -> Fingerprint:
    """Differs from an earlier one when a tensor of the list moved or was written to since; tensors of one device.

    Versions, which PyTorch counts up at each in-place operation, are not enough: the BatchNorm kernel moves running
    statistics without counting, and so does whoever writes through `.data`. The sum of the bits, read as integers,
    sees those writes. It reads every number once, which is about the cost of one weight update.
    """
    listed = list(tensors)
    if not listed:
        return ()
    sums = torch.stack([_sum_of_bits(tensor) for tensor in listed]).tolist()
    return tuple((tensor.data_ptr(), tensor._version, found) for tensor, found in zip(listed, sums, strict=True))


def tensors_outside(model: nn.Module, modules: Iterable[nn.Module]) -> list[Tensor]:
    """All parameters and buffers of a model but those that `modules` alone own; a shared tensor is outside as well."""
    inside = {id(part) for module in modules for part in module.modules()}
    found: dict[int, Tensor] = {}
    for module in model.modules():
        if id(module) not in inside:
            for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                found[id(tensor)] = tensor
    return list(found.values())


def num_bytes(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _sum_of_bits(tensor: Tensor) -> Tensor:
    width = _SUMMED_AS.get(tensor.element_size())
    if width is not None:
        return tensor.view(width).sum(dtype=width).long()
    return tensor.contiguous().flatten().view(torch.uint8).sum(dtype=torch.int64)
