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

# The squared norms of a convolution's weight gradients: (module, inputs, gradients) -> [examples].
ConvolutionForm = Callable[[nn.Conv2d, Tensor, Tensor], Tensor]

# 2 MiB of float32 stay in a core's cache; larger parts were up to twice as slow.
NUMBERS_AT_ONCE = 2**19
# A GPU would spend its time on launching kernels for such parts; 256 MiB are few of them, and memory stays bounded.
NUMBERS_AT_ONCE_ON_GPU = 2**26
# Copying or adding one number of a strided view takes as long as so many multiply-adds of a matrix product, measured
# on a CPU for ResNet-18 of widths 8 to 64.
COPY_COST = 20


def layer_norms_for(module: nn.Module) -> LayerNorms | None:
    """The rule for a layer, or None.

    Exact types with their own parameters only: a subclass may compute something else in its forward, and so does what
    was given others (`weight_g` of weight normalization, `weight_orig` of pruning).
    """
    if not {name for name, _ in module.named_parameters(recurse=False)} <= {"weight", "bias"}:
        return None
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
    form, numbers = _cheaper_form(module, inputs, gradients)
    # All examples at once would not fit the cache, or the memory.
    at_once = NUMBERS_AT_ONCE if inputs.device.type == "cpu" else NUMBERS_AT_ONCE_ON_GPU
    step = max(1, at_once // numbers)
    parts = zip(torch.split(inputs, step), torch.split(gradients, step), strict=True)
    norms = {"weight": torch.cat([form(module, left, right) for left, right in parts])}
    if module.bias is not None:
        norms["bias"] = gradients.sum(dim=(2, 3)).square().sum(dim=1)
    return norms


def _cheaper_form(module: nn.Conv2d, inputs: Tensor, gradients: Tensor) -> tuple[ConvolutionForm, int]:
    """The form that takes fewer multiply-adds an example, and how many numbers it makes of an example."""
    kernel_h, kernel_w = module.kernel_size
    in_pixels, out_pixels = inputs[0, 0].numel(), gradients[0, 0].numel()
    padded_h = inputs.shape[2] + 2 * _padding(module)[0]
    unfolded = module.in_channels * kernel_w * padded_h * gradients.shape[3]
    by_product = out_pixels * module.weight.numel() + COPY_COST * unfolded
    shifted = kernel_h * kernel_w * out_pixels**2 * module.groups
    by_gram = in_pixels**2 * module.in_channels + out_pixels**2 * module.out_channels + COPY_COST * shifted
    if by_gram < by_product:
        return convolution_by_gram, 2 * in_pixels**2 * module.groups
    return convolution_by_product, unfolded + module.weight.numel() // kernel_h


def convolution_by_product(module: nn.Conv2d, inputs: Tensor, gradients: Tensor) -> Tensor:
    """The squared norms of the products that are the weight gradients, [examples], one kernel row at a time.

    Inputs are unfolded along their width only, which copies a pixel kW times instead of kH kW times: the patches of
    another kernel row are the same numbers some image rows further on.
    """
    (stride_h, stride_w), (dilation_h, dilation_w) = module.stride, module.dilation
    kernel_h, kernel_w = module.kernel_size
    examples, channels_out, out_h, out_w = gradients.shape
    products = examples * module.groups
    right = gradients.reshape(products, channels_out // module.groups, out_h * out_w)
    # Image rows are dealt out to `stride_h` stacks, so that the rows under one kernel row are neighbours in a stack.
    stack_h = (kernel_h - 1) * dilation_h // stride_h + out_h
    padded = _padded(module, inputs, min_height=stride_h * stack_h)
    by_example, by_channel, by_row, by_column = padded.stride()
    unfolded = padded.as_strided(
        (examples, module.in_channels, kernel_w, stride_h, stack_h, out_w),
        (by_example, by_channel, dilation_w * by_column, by_row, stride_h * by_row, stride_w * by_column),
    ).reshape(products, -1, stride_h, stack_h, out_w)
    norms = gradients.new_zeros(products)
    for row in range(kernel_h):
        first, stack = divmod(row * dilation_h, stride_h)
        left = unfolded[:, :, stack, first : first + out_h].flatten(2)
        norms += torch.bmm(right, left.mT).square().sum(dim=(1, 2))
    return norms.view(examples, module.groups).sum(dim=1)


def convolution_by_gram(module: nn.Conv2d, inputs: Tensor, gradients: Tensor) -> Tensor:
    """The same by Gram matrices: that of the patches is a sum of that of the pixels, shifted; no patch is made."""
    examples, _, in_h, in_w = inputs.shape
    out_h, out_w = gradients.shape[2:]
    groups = examples * module.groups
    pixels = inputs.reshape(groups, -1, in_h * in_w)
    pad_h, pad_w = _padding(module)
    pixel_gram = functional.pad(
        torch.bmm(pixels.mT, pixels).view(groups, in_h, in_w, in_h, in_w), (pad_w, pad_w, pad_h, pad_h) * 2
    )
    patch_gram = pixels.new_zeros(groups, out_h, out_w, out_h, out_w)
    for rows in _taps(module, 0, out_h):
        for columns in _taps(module, 1, out_w):
            patch_gram += pixel_gram[:, rows, columns, rows, columns]
    outputs = gradients.reshape(groups, -1, out_h * out_w)
    output_gram = torch.bmm(outputs.mT, outputs).view_as(patch_gram)
    return (patch_gram * output_gram).view(examples, -1).sum(dim=1)


def _taps(module: nn.Conv2d, dimension: int, outputs: int) -> list[slice]:
    """For each element of the kernel, along one image dimension, the padded pixels that it meets."""
    stride, dilation = module.stride[dimension], module.dilation[dimension]
    firsts = range(0, module.kernel_size[dimension] * dilation, dilation)
    return [slice(first, first + (outputs - 1) * stride + 1, stride) for first in firsts]


def _padding(module: nn.Conv2d) -> tuple[int, ...]:
    assert not isinstance(module.padding, str)
    return module.padding


def _padded(module: nn.Conv2d, inputs: Tensor, min_height: int) -> Tensor:
    """The inputs between zeros, at least `min_height` high, contiguous whatever the format of the inputs."""
    pad_h, pad_w = _padding(module)
    examples, channels, height, width = inputs.shape
    padded = inputs.new_zeros(examples, channels, max(height + 2 * pad_h, min_height), width + 2 * pad_w)
    padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width] = inputs
    return padded


def batch_norm2d_norms(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
    """BatchNorm2d in evaluation mode, a fixed affine map per channel: inputs and gradients [examples, C, H, W]."""
    assert isinstance(module, nn.BatchNorm2d)
    assert module.running_mean is not None
    assert module.running_var is not None
    # Centred before the sum: a channel's mean may be much larger than what it varies by.
    centred = (inputs - module.running_mean[:, None, None]).mul_(gradients).sum(dim=(2, 3))
    weight = (centred * torch.rsqrt(module.running_var + module.eps)).square().sum(dim=1)
    return {"weight": weight, "bias": gradients.sum(dim=(2, 3)).square().sum(dim=1)}
