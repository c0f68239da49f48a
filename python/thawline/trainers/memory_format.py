"""The order in which images and weights of convolutions lie in memory."""

from __future__ import annotations

import torch
from torch import nn


def memory_format_for(model: nn.Module, device: torch.device) -> torch.memory_format:
    """channels_last, the faster one, but on a CPU for networks in which it would not be safe.

    oneDNN (3.12, uxlfoundation/oneDNN#6035) computes the weights' gradient of a strided 1 x 1 convolution on
    channels_last inputs in a workspace that is too small if these have fewer channels than a vector register has
    floats: wrong gradients, a hang or a crash, seen with AVX2. With AVX-512 its source has the same fault.
    """
    channels = 16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 8
    if device.type == "cpu" and any(_is_narrow_strided_1x1(module, channels) for module in model.modules()):
        return torch.contiguous_format
    return torch.channels_last


def _is_narrow_strided_1x1(module: nn.Module, channels: int) -> bool:
    if not isinstance(module, nn.Conv2d):
        return False
    return max(module.kernel_size) == 1 and max(module.stride) > 1 and module.in_channels < channels
