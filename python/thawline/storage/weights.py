"""The one number by which two runs are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

_COMPILED: Final = "_orig_mod"


class UnhashableError(Exception):
    """Weights that are not all here; one sentence that names the tensor."""


def weights_sha256(model: nn.Module, *, without: Collection[str] = ()) -> str:
    """SHA-256, in hex, over name, dtype, shape and bytes of all named parameters and buffers, sorted by name.

    `without` names those that are left out. Bytes are contiguous, row-major and little-endian, so neither memory format
    nor device nor machine enters; nor does `torch.compile`, which wraps modules under a name of its own. Raises
    UnhashableError for a tensor whose values are not all here.
    """
    digest = hashlib.sha256()
    left_out = set(without)
    named = [*model.named_parameters(), *model.named_buffers()]
    tensors = [(_uncompiled(name), tensor) for name, tensor in named if name not in left_out]
    for name, parameter in sorted(tensors, key=lambda item: item[0]):
        require_whole(name, parameter)
        tensor = parameter.detach()
        digest.update(f"{name}\n{tensor.dtype}\n{list(tensor.shape)}\n".encode())
        digest.update(row_major_bytes(tensor))
    return digest.hexdigest()


def hash_or_reason(model: nn.Module) -> tuple[str, None] | tuple[None, str]:
    """`weights_sha256`, or why there is none: a training that has ended is not lost for it."""
    try:
        return weights_sha256(model), None
    except UnhashableError as error:
        return None, str(error)
    except Exception as error:  # Kinds of tensors that nobody has thought of.
        return None, f"{type(error).__name__}: {error}"


def _uncompiled(name: str) -> str:
    return ".".join(part for part in name.split(".") if part != _COMPILED)


def require_whole(name: str, tensor: Tensor) -> None:
    """Raises UnhashableError for a tensor whose values are not all here, as plain numbers."""
    if tensor.is_meta:
        raise UnhashableError(f"`{name}` has no values: it is on the meta device")
    if hasattr(tensor, "full_tensor") or "FlatParameter" in type(tensor).__name__ or hasattr(tensor, "_sharding_spec"):
        raise UnhashableError(f"`{name}` is sharded, and this process has a part of it only")
    if tensor.layout != torch.strided:
        raise UnhashableError(f"`{name}` is sparse ({tensor.layout})")
    if tensor.is_quantized:
        raise UnhashableError(f"`{name}` is quantized ({tensor.dtype})")


def row_major_bytes(tensor: Tensor) -> bytes:
    """The tensor's values as little-endian bytes in row-major order."""
    flat = tensor.to("cpu", copy=False).contiguous().reshape(-1)
    # bfloat16 has no NumPy type; its bytes do not need one.
    array = flat.view(torch.uint8).numpy() if flat.numel() > 0 else np.empty(0, np.uint8)
    return array.tobytes()
