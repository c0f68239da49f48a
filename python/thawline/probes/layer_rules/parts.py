"""How many examples a rule takes at once: what it makes of them should fit the cache, and has to fit the memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# 2 MiB of float32 stay in a core's cache; larger parts were up to twice as slow.
NUMBERS_AT_ONCE = 2**19
# A GPU would spend its time on launching kernels for such parts; 256 MiB are few of them, and memory stays bounded.
NUMBERS_AT_ONCE_ON_GPU = 2**26


def by_parts(form: Callable[..., Tensor], numbers: int, *tensors: Tensor) -> Tensor:
    """`form(*tensors)` as [examples], by parts of the examples, of each of which it makes so many numbers.

    At least one example is taken at once, however large that is.
    """
    at_once = NUMBERS_AT_ONCE if tensors[0].device.type == "cpu" else NUMBERS_AT_ONCE_ON_GPU
    step = max(1, at_once // max(1, numbers))
    parts = zip(*(torch.split(tensor, step) for tensor in tensors), strict=True)
    return torch.cat([form(*part) for part in parts])
