"""The one number by which two runs are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def weights_sha256(model: nn.Module, *, without: Collection[str] = ()) -> str:
    """SHA-256, in hex, over name, dtype, shape and bytes of all named parameters and buffers, sorted by name.

    `without` names those that are left out. Bytes are contiguous, row-major and little-endian, so neither memory format
    nor device nor machine enters.
    """
    digest = hashlib.sha256()
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    for name in sorted(tensors.keys() - set(without)):
        tensor = tensors[name].detach()
        digest.update(f"{name}\n{tensor.dtype}\n{list(tensor.shape)}\n".encode())
        digest.update(row_major_bytes(tensor))
    return digest.hexdigest()


def row_major_bytes(tensor: Tensor) -> bytes:
    """The tensor's values as little-endian bytes in row-major order."""
    flat = tensor.to("cpu", copy=False).contiguous().reshape(-1)
    # bfloat16 has no NumPy type; its bytes do not need one.
    array = flat.view(torch.uint8).numpy() if flat.numel() > 0 else np.empty(0, np.uint8)
    return array.tobytes()
