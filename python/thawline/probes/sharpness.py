"""Average-case (equation 3) and worst-case (equation 4) sharpness of the loss in a neighbourhood of the weights.

Both are measured batch by batch and averaged over batches with equal weight, as in the implementation that the paper
uses; without its per-weight scaling c, and with one L2 ball over all parameters in scope for the worst case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thawline.probes.apgd import maximise_loss
from thawline.probes.head_features import HeadFeatures
from thawline.probes.loss_surface import HeadSurface, LossSurface, NetworkSurface
from thawline.probes.noise import weight_noise
from thawline.probes.objective import MICRO_BATCH, Objective
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import PerturbedWeights, Scope
from thawline.probes.search_precision import BFloat16Surface, Precision, rescored

# The loss surface of the batch with this index.
Surfaces = Callable[[int], LossSurface]


@dataclass(frozen=True)
class WorstCase:
    """Loss increases of each point at its batch's best and last perturbation, float64 [points] on the CPU."""

    best_increases: Tensor
    last_increases: Tensor


def network_surfaces(
    model: nn.Module,
    objective: Objective,
    probe_set: ProbeSet,
    scope: Scope,
    weights: PerturbedWeights,
    micro_batch: int = MICRO_BATCH,
) -> Surfaces:
    """Surfaces for any parameters in scope, to be used within the context of `weights`, which restores them."""
    return lambda index: NetworkSurface(model, objective, probe_set.batches[index], scope, weights, micro_batch)


def head_surfaces(features: HeadFeatures, probe_set: ProbeSet, scope: Scope) -> Surfaces:
    """Surfaces on the cached features of a linear head."""
    return lambda index: HeadSurface(features, index, probe_set.batches[index], scope)


def sharpness_avg(
    surfaces: Surfaces,
    probe_set: ProbeSet,
    scope: Scope,
    *,
    rho: float,
    draws: int,
    seed: int,
    poll: Callable[[], None],
) -> Tensor:
    """Loss increases L(w + delta) - L(w) of each point at `draws` fresh delta ~ N(0, rho^2) per batch.

    Float64 [draws, points] on the CPU; `mean_over_batches` makes the signal of it, which can be negative. The noise is
    the same at every boundary, and for a parameter the same whatever else is in scope; a GPU draws its own.
    """
    device = scope.parameters[0].device
    named_sizes = [(name, parameter.numel()) for name, parameter in zip(scope.names, scope.parameters, strict=True)]
    increases = []
    for index in range(len(probe_set.batches)):
        poll()
        surface = surfaces(index)
        clean = surface.losses([torch.zeros(scope.num_parameters, device=device)])
        noise = (weight_noise(named_sizes, rho, seed, index, draw, device) for draw in range(draws))
        increases.append((surface.losses(noise) - clean).cpu())
    return torch.cat(increases, dim=1)


def sharpness_worst(
    surfaces: Surfaces,
    probe_set: ProbeSet,
    scope: Scope,
    *,
    rho: float,
    iterations: int,
    poll: Callable[[], None],
    search_precision: Precision = "float32",
) -> WorstCase:
    """Loss increases of each point where Auto-PGD, run on each batch by itself, found the largest mean loss.

    The best is never below the clean loss; the last iterate may be, and explains negative values in the paper. Whatever
    the precision of the search, the increases are those of float32.
    """
    device = scope.parameters[0].device
    best, last = [], []
    for index in range(len(probe_set.batches)):
        poll()
        start = torch.zeros(scope.num_parameters, device=device)
        surface = surfaces(index)
        if search_precision == "bfloat16":
            ascent = rescored(maximise_loss(BFloat16Surface(surface, device), start, rho, iterations), surface)
        else:
            ascent = maximise_loss(surface, start, rho, iterations)
        best.append((ascent.best_losses - ascent.clean_losses).cpu())
        last.append((ascent.last_losses - ascent.clean_losses).cpu())
    return WorstCase(torch.cat(best), torch.cat(last))


def mean_over_batches(increases: Tensor, sizes: Sequence[int]) -> float:
    """The mean over batches of the mean of `increases` [..., points] within each: every batch weighs the same."""
    blocks = torch.split(increases, list(sizes), dim=-1)
    return float(torch.stack([block.mean() for block in blocks]).mean())
