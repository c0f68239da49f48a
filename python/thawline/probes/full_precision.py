"""Float32 that is float32: PyTorch lets a GPU round the factors of convolutions to TF32, ten bits after the point.

A signal is a small difference of large numbers (losses of neighbouring weights), and the rules for per-example
gradients add up what autograd convolves: in TF32 they disagreed by up to 1e-2 on an H200.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# (where, attribute, value for full precision)
Switch = tuple[Any, str, Any]


@contextmanager
def full_float32() -> Iterator[None]:
    """Convolutions and matrix products in full float32; what was set before is set again on leaving."""
    switches = _switches()
    before = [getattr(where, name) for where, name, _ in switches]
    try:
        for where, name, full in switches:
            setattr(where, name, full)
        yield
    finally:
        for (where, name, _), value in zip(switches, before, strict=True):
            setattr(where, name, value)


def _switches() -> list[Switch]:
    """Those of PyTorch 2.9 and later where they are there: reading the older ones fails where a user set the newer."""
    backends = torch.backends
    if hasattr(backends.cudnn, "conv"):
        return [(backends.cudnn.conv, "fp32_precision", "ieee"), (backends.cuda.matmul, "fp32_precision", "ieee")]
    return [(backends.cudnn, "allow_tf32", False), (backends.cuda.matmul, "allow_tf32", False)]
