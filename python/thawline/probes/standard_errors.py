"""Standard errors of the signals: pure functions from per-point (and per-draw) vectors to one number.

The same functions on the paired differences of two boundaries give the errors of a change: points, labels and noise
are common to both, so most of their variation cancels. All return None where the vectors are too small to tell, or
hold a value that is not finite; a missing error never lets a detector fire.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy import special
from torch import Tensor


def error_over_points(values: Tensor) -> float | None:
    """Of the mean of `values` [points] (tr(F)): standard deviation over points / sqrt(points)."""
    points = values.numel()
    return _root(float(values.double().var()) / points) if points > 1 else None


def error_over_draws_and_points(increases: Tensor, sizes: Sequence[int]) -> float | None:
    """Of the mean over batches of the mean of `increases` [draws, points] (sharpness_avg).

    Draws and points are crossed within a batch of m points, and both are samples: the variance of a batch is
    var(draw means)/draws, which holds for the points at hand, and var(point means)/m - MS_residual/(draws m) for the
    choice of these points, without the residual that the first term has counted already. Batches have noise of their
    own and are independent: the variances are summed and divided by b^2.

    The second term is a difference of estimates, and where points of a class move together it is noise round zero, at
    times far below: it adds to the error over draws, but never takes from it.
    """
    parts = _over_draws_and_points(increases, sizes)
    if parts is None:
        return None
    over_draws, over_points = parts
    # Not the other way round: max(NaN, 0) is NaN, which is no error, and max(0, NaN) is 0.
    return _root((over_draws + max(over_points, 0.0)) / len(sizes) ** 2)


def degrees_over_draws_and_points(increases: Tensor, sizes: Sequence[int]) -> float:
    """Degrees of freedom of `error_over_draws_and_points` (Satterthwaite): few where few draws make most of it.

    Those of the draws are draws - 1 a batch, pooled. Infinite where there is no error.
    """
    parts = _over_draws_and_points(increases, sizes)
    if parts is None:
        return math.inf
    over_draws, over_points = parts[0], max(parts[1], 0.0)
    of_draws, of_points = len(sizes) * (increases.shape[0] - 1), sum(sizes) - len(sizes)
    weighted = over_draws**2 / of_draws + over_points**2 / of_points
    return (over_draws + over_points) ** 2 / weighted if weighted > 0 else math.inf


def interval_factor(degrees_of_freedom: float, coverage: float = 0.95) -> float:
    """Student's t: how many standard errors to each side of a value hold the truth with this probability.

    1.96 for many degrees of freedom, 2.36 for the 7 of 8 draws.
    """
    tail = (1 + coverage) / 2
    factor = special.ndtri(tail) if math.isinf(degrees_of_freedom) else special.stdtrit(degrees_of_freedom, tail)
    return float(factor)


def _over_draws_and_points(increases: Tensor, sizes: Sequence[int]) -> tuple[float, float] | None:
    """The variances over draws and over points, each summed over batches; None where there are too few of either."""
    draws = increases.shape[0]
    if draws < 2 or min(sizes) < 2:
        return None
    over_draws = over_points = 0.0
    for block in torch.split(increases.double(), list(sizes), dim=1):
        points = block.shape[1]
        draw_means = block.mean(dim=1, keepdim=True)
        point_means = block.mean(dim=0, keepdim=True)
        residual = block - draw_means - point_means + block.mean()
        residual_mean_square = float(residual.square().sum()) / ((draws - 1) * (points - 1))
        over_draws += float(draw_means.var()) / draws
        over_points += float(point_means.var()) / points - residual_mean_square / (draws * points)
    return over_draws, over_points


def error_within_batches(increases: Tensor, sizes: Sequence[int]) -> float | None:
    """Of the mean over batches of the mean of `increases` [points] (sharpness_worst).

    Standard deviation within batches / sqrt(points), pooled over batches; with batches of unequal size the factor is
    sqrt(sum(1/m))/b instead, since every batch weighs the same. Slightly conservative: the search has adapted delta to
    its batch.
    """
    points = increases.numel()
    if points <= len(sizes):
        return None
    blocks = torch.split(increases.double(), list(sizes))
    squares = sum(float((block - block.mean()).square().sum()) for block in blocks)
    pooled_variance = squares / (points - len(sizes))
    return _root(pooled_variance * sum(1 / size for size in sizes) / len(sizes) ** 2)


def _root(variance: float) -> float | None:
    """sqrt(variance), or None where it is not finite."""
    return math.sqrt(variance) if math.isfinite(variance) else None
