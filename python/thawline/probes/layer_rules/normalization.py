"""Layers that normalise, then scale and shift: the normalised input is made once more, without scale and shift.

A rule makes one tensor of the size of its input; gradients of scale and shift, [examples, D], are held as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.probes.layer_rules.forms import Form, Vectors

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def layer_norm_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """LayerNorm: inputs and gradients [examples, ..., *normalized_shape]."""
    assert isinstance(module, nn.LayerNorm)
    normalized = functional.layer_norm(inputs, module.normalized_shape, eps=module.eps)
    return _over_positions(normalized, gradients, len(module.normalized_shape))


def rms_norm_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """RMSNorm, which has no shift: inputs and gradients [examples, ..., *normalized_shape]."""
    assert isinstance(module, nn.RMSNorm)
    normalized = functional.rms_norm(inputs, module.normalized_shape, eps=module.eps)
    return _over_positions(normalized, gradients, len(module.normalized_shape))


def group_norm_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """GroupNorm: inputs and gradients [examples, C, ...]; scale and shift are of channels."""
    assert isinstance(module, nn.GroupNorm)
    normalized = functional.group_norm(inputs, module.num_groups, eps=module.eps)
    return {**_of_channels(normalized.mul_(gradients), gradients)}


def batch_norm_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """BatchNorm in evaluation mode, a fixed affine map per channel: inputs and gradients [examples, C, ...]."""
    assert isinstance(module, BATCH_NORMS)
    assert module.running_mean is not None
    assert module.running_var is not None
    # Centred before the sum: a channel's mean may be much larger than what it varies by.
    mean = module.running_mean.view(-1, *[1] * (inputs.dim() - 2))
    forms = _of_channels((inputs - mean).mul_(gradients), gradients)
    forms["weight"] = Vectors(forms["weight"].values * torch.rsqrt(module.running_var + module.eps))
    return {**forms}


def _of_channels(products: Tensor, gradients: Tensor) -> dict[str, Vectors]:
    """Sums over all positions of [examples, C, ...], of which there may be one."""
    if products.dim() == 2:
        return {"weight": Vectors(products), "bias": Vectors(gradients)}
    positions = tuple(range(2, products.dim()))
    return {"weight": Vectors(products.sum(dim=positions)), "bias": Vectors(gradients.sum(dim=positions))}


def _over_positions(normalized: Tensor, gradients: Tensor, trailing: int) -> dict[str, Form]:
    """Sums over the dimensions between the example and the last `trailing` ones."""
    shape = (len(gradients), -1, *gradients.shape[gradients.dim() - trailing :])
    products = normalized.mul_(gradients).reshape(shape)
    return {"weight": Vectors(products.sum(dim=1)), "bias": Vectors(gradients.reshape(shape).sum(dim=1))}
