"""The largest eigenvalue of a symmetric operator that is known only by its products with vectors (Lanczos 1950)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TopEigenpair:
    """The algebraically largest Ritz value and its unit vector [dimension], from `products` products.

    `residual` is ||A v - value v||: some eigenvalue lies within this distance of `value`. Where a product is not
    finite, value and residual are NaN and there is no vector.
    """

    value: float
    vector: Tensor | None
    residual: float
    products: int


def largest_eigenpair(
    product: Callable[[Tensor], Tensor], start: Tensor, *, tolerance: float, max_products: int
) -> TopEigenpair:
    """Lanczos from `start`, until the residual is at most `tolerance` times the largest Ritz value in size.

    Every new vector is made orthogonal to all earlier ones, twice: in single precision the three-term recurrence alone
    soon finds the same eigenvalue again and again. After `max_products` products the best pair so far is returned.
    """
    basis = [start / start.norm()]
    diagonal: list[float] = []
    off_diagonal: list[float] = []
    while True:
        image = product(basis[-1])
        diagonal.append(float(torch.dot(image, basis[-1])))
        if not math.isfinite(diagonal[-1]):
            return TopEigenpair(math.nan, None, math.nan, len(diagonal))
        for _ in range(2):
            for vector in basis:
                image = image - torch.dot(image, vector) * vector
        remainder = float(image.norm())

        projected = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
        for index, value in enumerate(off_diagonal):
            projected[index, index + 1] = projected[index + 1, index] = value
        ritz_values, ritz_vectors = torch.linalg.eigh(projected)
        residual = remainder * abs(float(ritz_vectors[-1, -1]))
        exhausted = len(diagonal) == min(max_products, len(start))
        if exhausted or residual <= tolerance * float(ritz_values.abs().max()):
            found = torch.zeros_like(start)
            for coefficient, vector in zip(ritz_vectors[:, -1].tolist(), basis, strict=True):
                found += coefficient * vector
            return TopEigenpair(float(ritz_values[-1]), found / found.norm(), residual, len(diagonal))
        off_diagonal.append(remainder)
        basis.append(image / remainder)
