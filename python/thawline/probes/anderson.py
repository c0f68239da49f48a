"""Anderson acceleration of a fixed-point iteration x <- F(x): the next point from the last few instead of one.

Where F creeps towards its fixed point, or jumps across it and back, each step repeats much of the mistake of the one
before. The combination of the last points whose residuals F(x) - x cancel best does neither (D. G. Anderson, 1965).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Points that are combined: two mistakes cancel. Each but the last keeps two vectors.
POINTS = 3
# Of the mean square of the differences: what keeps parallel ones from being taken apart by rounding errors.
RIDGE = 1e-8


class Step(NamedTuple):
    """A point x and F(x), each [dimension]."""

    point: Tensor
    image: Tensor

    @property
    def residual(self) -> Tensor:
        return self.image - self.point


def accelerated(steps: list[Step]) -> Tensor | None:
    """The combination of the images of `steps`, oldest first, whose residuals cancel best; None of fewer than two."""
    *before, last = steps
    if not before:
        return None
    residual = last.residual
    differences = [residual - step.residual for step in before]
    products = torch.stack([_dots(one, differences) for one in differences])
    products.diagonal().add_(RIDGE * products.diagonal().mean())
    if not products.isfinite().all() or float(products.diagonal().min()) <= 0:
        return None
    weights = torch.linalg.solve(products, _dots(residual, differences)).tolist()
    combined = last.image.clone()
    for weight, step in zip(weights, before, strict=True):
        combined.add_(last.image - step.image, alpha=-weight)
    return combined


def _dots(vector: Tensor, others: list[Tensor]) -> Tensor:
    """[others], in float64 on the CPU."""
    return torch.stack([torch.dot(vector, other) for other in others]).double().cpu()
