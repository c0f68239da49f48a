"""Whether tensors are still what they were: asked at every boundary before what came of them is used again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from thawline.probes.code_settings import read_by
from thawline.tensor_bits import sum_of_bits

# Address, version and sum of bits of each tensor.
Fingerprint = tuple[tuple[int, int, int], ...]

# What every module has, and what is looked at elsewhere.
_OF_MODULES = frozenset(vars(nn.Module()))
# An object in a container in an object of a module.
DEPTH = 4


@torch.no_grad()
def fingerprint(tensors: Iterable[Tensor]) -> Fingerprint:
    """Differs from an earlier one when a tensor of the list moved or was written to since; tensors of one device.

    Versions, which PyTorch counts up at each in-place operation, are not enough: the BatchNorm kernel moves running
    statistics without counting, and so does whoever writes through `.data`. The sum of the bits, read as integers,
    sees those writes. It reads every number once, which is about the cost of one weight update.
    """
    # A tensor on the meta device has no numbers.
    listed = [tensor for tensor in tensors if not tensor.is_meta]
    if not listed:
        return ()
    sums = torch.stack([sum_of_bits(tensor) for tensor in listed]).tolist()
    return tuple((tensor.data_ptr(), tensor._version, found) for tensor, found in zip(listed, sums, strict=True))


def settings_of(modules: Iterable[nn.Module]) -> tuple[object, ...]:
    """Differs from an earlier one when an attribute of a module that is no parameter, buffer or module has changed.

    Numbers and texts by their value, also in containers and in objects (a configuration, a namespace); of anything
    else it is told whether it is the same object. For what a forward reads and no tensor holds, like a temperature: an
    attribute of a module or of its class, or a variable that the code of its methods refers to.
    """
    seen: dict[int, object] = {}
    listed = list(modules)
    own = (item for module in listed for item in vars(module).items() if item[0] not in _OF_MODULES)
    return tuple((name, _setting(value, seen, DEPTH)) for name, value in (*own, *read_by(listed)))


def _setting(value: object, seen: dict[int, object], depth: int) -> object:
    if isinstance(value, bool | int | float | complex | str | bytes | type(None)):
        return value if value == value else repr(value)  # NaN is itself.
    if isinstance(value, Tensor):
        return (id(value), fingerprint([value]))
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), hash(value.tobytes()))
    if depth == 0 or isinstance(value, nn.Module | type) or callable(value):
        return id(value)
    if id(value) not in seen:
        seen[id(value)] = id(value)  # For what refers to itself.
        seen[id(value)] = _settings_in(value, seen, depth - 1)
    return seen[id(value)]


def _settings_in(value: object, seen: dict[int, object], depth: int) -> object:
    if isinstance(value, Mapping):
        return tuple((str(key), _setting(part, seen, depth)) for key, part in value.items())
    if isinstance(value, list | tuple | deque | set | frozenset):
        return tuple(_setting(part, seen, depth) for part in value)
    own = getattr(value, "__dict__", None)
    return id(value) if own is None else (id(value), _settings_in(own, seen, depth))


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
