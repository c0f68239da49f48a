"""Layers that multiply by a matrix: `nn.Linear`, and what computes the same by another name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thawline.probes.layer_rules.forms import Form, Products, Vectors


def linear_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """Linear: inputs [examples, ..., D], gradients [examples, ..., O]; the dimensions between are positions."""
    left, right = over_positions(inputs), over_positions(gradients)
    return {"weight": Products(left, right), "bias": Vectors(right.sum(dim=2))}


def transposed_linear_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """The same for a weight [D, O], as in Hugging Face's `Conv1D` of GPT-2, a linear layer in spite of its name."""
    left, right = over_positions(inputs), over_positions(gradients)
    return {"weight": Products(right, left), "bias": Vectors(right.sum(dim=2))}


def over_positions(tensor: Tensor) -> Tensor:
    """[examples, ..., D] as [examples, D, T], a view wherever that is possible."""
    return tensor.reshape(len(tensor), -1, tensor.shape[-1]).mT


@torch.no_grad()
def multiplies_by(module: nn.Module) -> str | None:
    """`weight` or `transposed` for a layer that gives x W^T (+ bias) or x W (+ bias), told by an input of numbers.

    Of a square matrix too: which of the two it is shows in what comes out.
    """
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if not isinstance(weight, Tensor) or weight.dim() != 2 or not weight.is_floating_point():
        return None
    for name, matrix in (("weight", weight), ("transposed", weight.mT)):
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(2, 3, matrix.shape[1], generator=generator).to(weight)
        try:
            expected = inputs @ matrix.mT if bias is None else inputs @ matrix.mT + bias
            found = module.forward(inputs)
        except (RuntimeError, TypeError, ValueError, AttributeError, LookupError):
            continue
        if isinstance(found, Tensor) and found.shape == expected.shape and torch.allclose(found, expected, 1e-3, 1e-5):
            return name
    return None
