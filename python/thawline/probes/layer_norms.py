"""Squared norms of one layer's per-example gradients, from its input and from the gradient at its output.

Goodfellow 2015 (arXiv:1510.01799) for linear layers; the Gram form is the "ghost norm" of differentially private
training. Each rule returns float32 [examples] for the layer's own parameter names, "weight" and "bias".
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

# (module, input [examples, ...], gradient at the output [examples, ...]) -> {"weight": [examples], "bias": [examples]}
LayerNorms = Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]]

# 4 MiB of float32 patches stay in a core's cache; larger parts were up to twice as slow.
PATCH_NUMBERS_AT_ONCE = 2**20


def layer_norms_for(module: nn.Module) -> LayerNorms | None:
    """The rule for a layer, or None. Exact types only: a subclass may compute something else in its forward."""
    if type(module) is nn.Linear:
        return linear_norms
    if type(module) is nn.Conv2d and module.padding_mode == "zeros" and not isinstance(module.padding, str):
        return conv2d_norms
    if type(module) is nn.BatchNorm2d and module.running_mean is not None:
        return batch_norm2d_norms
    return None


def squared_product_norms(left: Tensor, right: Tensor) -> Tensor:
    """||sum_t left_t right_t^T||^2 for left [groups, D, T] and right [groups, O, T]; [groups].

    Goes through the two T x T Gram matrices where that is cheaper than the D x O product.
    """
    d, o, t = left.shape[1], right.shape[1], left.shape[2]
    if t * (d + o) < d * o:
        return (torch.bmm(left.mT, left) * torch.bmm(right.mT, right)).sum(dim=(1, 2))
    return torch.bmm(right, left.mT).square().sum(dim=(1, 2))


def linear_norms(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
    """Linear: inputs [examples, ..., D], gradients [examples, ..., O]; the dimensions between are positions."""
    left = inputs.reshape(len(inputs), -1, inputs.shape[-1]).mT
    right = gradients.reshape(len(gradients), -1, gradients.shape[-1]).mT
    return {"weight": squared_product_norms(left, right), "bias": right.sum(dim=2).square().sum(dim=1)}


def conv2d_norms(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
    """Conv2d as a linear layer on patches: inputs [examples, C, H, W], gradients [examples, O, H', W']."""
    assert isinstance(module, nn.Conv2d)
    patches = _patches(module, inputs)
    channels_out, positions = module.out_channels // module.groups, gradients.shape[2] * gradients.shape[3]
    weights = []
    # A view of all patches costs nothing; a copy of them all would not fit the cache, so copies are made in parts.
    step = max(1, PATCH_NUMBERS_AT_ONCE // patches[0].numel())
    for left, right in zip(torch.split(patches, step), torch.split(gradients, step), strict=True):
        groups = len(left) * module.groups
        norms = squared_product_norms(
            left.reshape(groups, -1, positions), right.reshape(groups, channels_out, positions)
        )
        weights.append(norms.view(len(left), module.groups).sum(dim=1))
    return {"weight": torch.cat(weights), "bias": gradients.sum(dim=(2, 3)).square().sum(dim=1)}


def _patches(module: nn.Conv2d, inputs: Tensor) -> Tensor:
    """The inputs under the kernel at each output position: a view [examples, C, kH, kW, H', W'] of the padded inputs.

    A copy of this view is several times faster than `functional.unfold` on the CPU.
    """
    assert not isinstance(module.padding, str)
    (pad_h, pad_w), (stride_h, stride_w), (dilation_h, dilation_w) = module.padding, module.stride, module.dilation
    kernel_h, kernel_w = module.kernel_size
    padded = functional.pad(inputs, (pad_w, pad_w, pad_h, pad_h)).contiguous()
    examples, channels, height, width = padded.shape
    out_h = (height - dilation_h * (kernel_h - 1) - 1) // stride_h + 1
    out_w = (width - dilation_w * (kernel_w - 1) - 1) // stride_w + 1
    by_example, by_channel, by_row, by_column = padded.stride()
    return padded.as_strided(
        (examples, channels, kernel_h, kernel_w, out_h, out_w),
        (by_example, by_channel, dilation_h * by_row, dilation_w * by_column, stride_h * by_row, stride_w * by_column),
    )


def batch_norm2d_norms(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
    """BatchNorm2d in evaluation mode, a fixed affine map per channel: inputs and gradients [examples, C, H, W]."""
    assert isinstance(module, nn.BatchNorm2d)
    assert module.running_mean is not None
    assert module.running_var is not None
    scale = torch.rsqrt(module.running_var + module.eps)
    normalised = (inputs - module.running_mean[:, None, None]) * scale[:, None, None]
    weight = (gradients * normalised).sum(dim=(2, 3)).square().sum(dim=1)
    return {"weight": weight, "bias": gradients.sum(dim=(2, 3)).square().sum(dim=1)}
