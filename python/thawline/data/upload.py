"""From the host to the device, without waiting for it."""

from __future__ import annotations

import torch


def upload(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the host on `device`; on the CPU the tensor itself.

    The copy is queued behind the kernels before it. From memory that is not pinned, the host would wait until the
    device had worked through all of them, at every update.
    """
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
