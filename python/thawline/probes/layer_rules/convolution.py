"""Convolutions over one or two dimensions, grouped and depthwise ones among them, as linear layers on patches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.probes.layer_rules.forms import Form, Norms, Vectors
from thawline.probes.layer_rules.parts import by_parts

# Copying or adding one number of a strided view takes as long as so many multiply-adds of a matrix product, measured
# on a CPU for ResNet-18 of widths 8 to 64.
COPY_COST = 20


@dataclass(frozen=True)
class Geometry:
    """A convolution over images, (height, width) of each; one over a line is one over images of height 1."""

    channels_in: int
    channels_out: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]
    groups: int

    @property
    def weights(self) -> int:
        return self.channels_out * (self.channels_in // self.groups) * self.kernel[0] * self.kernel[1]


# The squared norms of a convolution's weight gradients: (geometry, inputs, gradients) -> [examples].
ConvolutionForm = Callable[[Geometry, Tensor, Tensor], Tensor]


def has_convolution_rule(module: nn.Module) -> bool:
    return type(module) in (nn.Conv1d, nn.Conv2d) and module.padding_mode == "zeros" and module.padding != "same"


def geometry_of(module: nn.Module) -> Geometry:
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    padding = (0,) * len(module.kernel_size) if isinstance(module.padding, str) else module.padding
    return Geometry(
        module.in_channels,
        module.out_channels,
        _of_image(module.kernel_size, 1),
        _of_image(module.stride, 1),
        _of_image(module.dilation, 1),
        _of_image(padding, 0),
        module.groups,
    )


def _of_image(sizes: tuple[int, ...], of_height_1: int) -> tuple[int, int]:
    height, width = sizes if len(sizes) == 2 else (of_height_1, *sizes)
    return height, width


def convolution_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """inputs [examples, C, (H,) W], gradients [examples, O, (H',) W']."""
    geometry = geometry_of(module)
    if inputs.dim() == 3:
        inputs, gradients = inputs.unsqueeze(2), gradients.unsqueeze(2)
    form, numbers = _cheaper_form(geometry, inputs, gradients)
    # All examples at once would not fit the cache, or the memory.
    forms: dict[str, Form] = {"weight": Norms(by_parts(partial(form, geometry), numbers, inputs, gradients))}
    if module.bias is not None:
        forms["bias"] = Vectors(gradients.sum(dim=(2, 3)))
    return forms


def _cheaper_form(geometry: Geometry, inputs: Tensor, gradients: Tensor) -> tuple[ConvolutionForm, int]:
    """The form that takes fewer multiply-adds an example, and how many numbers it makes of an example."""
    kernel_h, kernel_w = geometry.kernel
    in_pixels, out_pixels = inputs[0, 0].numel(), gradients[0, 0].numel()
    padded_h = inputs.shape[2] + 2 * geometry.padding[0]
    unfolded = geometry.channels_in * kernel_w * padded_h * gradients.shape[3]
    by_product = out_pixels * geometry.weights + COPY_COST * unfolded
    shifted = kernel_h * kernel_w * out_pixels**2 * geometry.groups
    by_gram = in_pixels**2 * geometry.channels_in + out_pixels**2 * geometry.channels_out + COPY_COST * shifted
    if by_gram < by_product:
        return convolution_by_gram, 2 * in_pixels**2 * geometry.groups
    return convolution_by_product, unfolded + geometry.weights // kernel_h


def convolution_by_product(geometry: Geometry, inputs: Tensor, gradients: Tensor) -> Tensor:
    """The squared norms of the products that are the weight gradients, [examples], one kernel row at a time.

    Inputs are unfolded along their width only, which copies a pixel kW times instead of kH kW times: the patches of
    another kernel row are the same numbers some image rows further on.
    """
    (stride_h, stride_w), (dilation_h, dilation_w) = geometry.stride, geometry.dilation
    kernel_h, kernel_w = geometry.kernel
    examples, channels_out, out_h, out_w = gradients.shape
    products = examples * geometry.groups
    right = gradients.reshape(products, channels_out // geometry.groups, out_h * out_w)
    # Image rows are dealt out to `stride_h` stacks, so that the rows under one kernel row are neighbours in a stack.
    stack_h = (kernel_h - 1) * dilation_h // stride_h + out_h
    padded = _padded(geometry, inputs, min_height=stride_h * stack_h)
    by_example, by_channel, by_row, by_column = padded.stride()
    unfolded = padded.as_strided(
        (examples, geometry.channels_in, kernel_w, stride_h, stack_h, out_w),
        (by_example, by_channel, dilation_w * by_column, by_row, stride_h * by_row, stride_w * by_column),
    ).reshape(products, -1, stride_h, stack_h, out_w)
    norms = gradients.new_zeros(products)
    for row in range(kernel_h):
        first, stack = divmod(row * dilation_h, stride_h)
        left = unfolded[:, :, stack, first : first + out_h].flatten(2)
        norms += torch.bmm(right, left.mT).square().sum(dim=(1, 2))
    return norms.view(examples, geometry.groups).sum(dim=1)


def convolution_by_gram(geometry: Geometry, inputs: Tensor, gradients: Tensor) -> Tensor:
    """The same by Gram matrices: that of the patches is a sum of that of the pixels, shifted; no patch is made."""
    examples, _, in_h, in_w = inputs.shape
    out_h, out_w = gradients.shape[2:]
    groups = examples * geometry.groups
    pixels = inputs.reshape(groups, -1, in_h * in_w)
    pad_h, pad_w = geometry.padding
    pixel_gram = functional.pad(
        torch.bmm(pixels.mT, pixels).view(groups, in_h, in_w, in_h, in_w), (pad_w, pad_w, pad_h, pad_h) * 2
    )
    patch_gram = pixels.new_zeros(groups, out_h, out_w, out_h, out_w)
    for rows in _taps(geometry, 0, out_h):
        for columns in _taps(geometry, 1, out_w):
            patch_gram += pixel_gram[:, rows, columns, rows, columns]
    outputs = gradients.reshape(groups, -1, out_h * out_w)
    output_gram = torch.bmm(outputs.mT, outputs).view_as(patch_gram)
    return (patch_gram * output_gram).view(examples, -1).sum(dim=1)


def _taps(geometry: Geometry, dimension: int, outputs: int) -> list[slice]:
    """For each element of the kernel, along one image dimension, the padded pixels that it meets."""
    stride, dilation = geometry.stride[dimension], geometry.dilation[dimension]
    firsts = range(0, geometry.kernel[dimension] * dilation, dilation)
    return [slice(first, first + (outputs - 1) * stride + 1, stride) for first in firsts]


def _padded(geometry: Geometry, inputs: Tensor, min_height: int) -> Tensor:
    """The inputs between zeros, at least `min_height` high, contiguous whatever the format of the inputs."""
    pad_h, pad_w = geometry.padding
    examples, channels, height, width = inputs.shape
    padded = inputs.new_zeros(examples, channels, max(height + 2 * pad_h, min_height), width + 2 * pad_w)
    padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width] = inputs
    return padded
