"""The spectrum of the features before the head: largest eigenvalue (appendix C) and ranks (appendix E.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

# Share of the variance that the counted principal components hold.
VARIANCE_SHARE = 0.99


@dataclass(frozen=True)
class FeatureSpectrum:
    """Of features H [points, D]; all of it NaN where a feature is not finite.

    `lambda_max` is the largest eigenvalue of H^T H / points, mean included. The ranks are of the centred features, with
    singular values s: `rank` is the number of principal components that hold 99 % of the variance, `numerical_rank` the
    number of s above s_max * max(points, D) * eps of the features' precision, `entropy_rank` is exp(-sum p log p) with
    p = s / sum s (the effective rank of Roy and Vetterli 2007). Features that are all the same have rank 0.
    """

    lambda_max: float
    rank: float
    numerical_rank: float
    entropy_rank: float


@torch.no_grad()
def feature_spectrum(features: Tensor) -> FeatureSpectrum:
    """One singular value decomposition, in float64, serves all four numbers."""
    if not bool(features.isfinite().all()):
        return FeatureSpectrum(math.nan, math.nan, math.nan, math.nan)
    points = len(features)
    mean = features.double().mean(dim=0)
    _, singular_values, directions = torch.linalg.svd(features.double() - mean, full_matrices=False)
    # The mean along the principal directions, and what of it lies outside their span (where points < D).
    along = directions @ mean
    outside = (mean - along @ directions).norm().reshape(1)
    eigenvalues = torch.cat([singular_values.square() / points, torch.zeros_like(outside)])
    lambda_max = largest_of_rank_one_update(eigenvalues, torch.cat([along, outside]))

    rounding = max(features.shape) * torch.finfo(features.dtype).eps
    # Centring leaves rounding errors of the size of the mean behind: they are no variance.
    singular_values = singular_values[singular_values > torch.finfo(torch.float64).eps * points * mean.norm()]
    if singular_values.numel() == 0:
        return FeatureSpectrum(lambda_max, 0.0, 0.0, 0.0)
    held = singular_values.square().cumsum(0) / singular_values.square().sum()
    shares = singular_values / singular_values.sum()
    return FeatureSpectrum(
        lambda_max,
        float((held < VARIANCE_SHARE).sum() + 1),
        float((singular_values > singular_values[0] * rounding).sum()),
        float(torch.special.entr(shares).sum().exp()),
    )


def largest_of_rank_one_update(eigenvalues: Tensor, update: Tensor) -> float:
    """The largest eigenvalue of diag(eigenvalues) + update update^T, float64 [n] each.

    It is the root above max(eigenvalues) of the secular equation 1 = sum update^2 / (lambda - eigenvalues), whose right
    side falls with lambda: bisected until the bounds are neighbouring numbers. The spectral norm of the features would
    be one line, but a second decomposition, as dear as all the rest, and other last digits.
    """
    squares = update.square()
    low, high = float(eigenvalues.max()), float(eigenvalues.max() + squares.sum())
    while low < (middle := (low + high) / 2) < high:
        if float((squares / (middle - eigenvalues)).sum()) > 1:
            low = middle
        else:
            high = middle
    return high
