"""Average-case (equation 3) and worst-case (equation 4) sharpness of the loss in a neighbourhood of the weights.

Both are measured batch by batch and averaged over batches with equal weight, as in the implementation that the paper
uses; without its per-weight scaling c, and with one L2 ball over all parameters in scope for the worst case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from thawline.probes.apgd import maximise_loss
from thawline.probes.head_features import HeadFeatures
from thawline.probes.loss_surface import HeadSurface, LossSurface, NetworkSurface
from thawline.probes.noise import NoiseKind, draws_of, perturbations, weight_noise
from thawline.probes.objective import MICRO_BATCH, Objective
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import PerturbedWeights, Scope
from thawline.probes.search_precision import BFloat16Surface, Precision, rescored, rescored_on_sphere
from thawline.probes.sphere import SphereAscent, maximise_on_sphere, towards

# The loss surface of the batch with this index.
Surfaces = Callable[[int], LossSurface]


SearchKind = Literal["sphere", "apgd"]


@dataclass(frozen=True)
class WorstCase:
    """Loss increases of each point at its batch's best and last perturbation, float64 [points] on the CPU.

    `last_increases` is None for a search that has no last iterate of its own. `gradients` were computed for each batch.
    """

    best_increases: Tensor
    last_increases: Tensor | None
    gradients: tuple[int, ...]


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
    noise: NoiseKind,
    seed: int,
    poll: Callable[[], None],
) -> Tensor:
    """Loss increases L(w + delta) - L(w) of each point at `draws` delta ~ N(0, rho^2) per batch, fresh or in pairs.

    Float64 on the CPU, a row for each independent draw: [draws, points], or the means of antithetic pairs,
    [draws / 2, points]. `mean_over_batches` makes the signal of it, which can be negative. The noise is the same at
    every boundary, and for a parameter the same whatever else is in scope; a GPU draws its own.
    """
    device = scope.parameters[0].device
    named_sizes = [(name, parameter.numel()) for name, parameter in zip(scope.names, scope.parameters, strict=True)]
    increases = []
    for index in range(len(probe_set.batches)):
        poll()
        surface = surfaces(index)
        clean = surface.losses([torch.zeros(scope.num_parameters, device=device)])
        drawn = partial(weight_noise, named_sizes, rho, seed, index, device=device)
        losses = surface.losses(perturbations(noise, draws, drawn))
        increases.append(draws_of(noise, losses - clean).cpu())
    return torch.cat(increases, dim=1)


def sharpness_worst(
    surfaces: Surfaces,
    probe_set: ProbeSet,
    scope: Scope,
    *,
    rho: float,
    iterations: int,
    search: SearchKind,
    tolerance: float = 0.0,
    poll: Callable[[], None],
    search_precision: Precision = "float32",
) -> WorstCase:
    """Loss increases of each point where a search, run on each batch by itself, found the largest mean loss.

    `iterations` is the most gradients a batch; a search on the sphere ends earlier by its `tolerance`, and looks at
    what the batch before found as well, which is kept for this call only. The best is never below the clean loss; the
    last iterate of Auto-PGD may be, and explains negative values in the paper. Whatever the precision of the search,
    the increases are those of float32.
    """
    device = scope.parameters[0].device
    best, last, gradients = [], [], []
    found_before: Tensor | None = None
    for index in range(len(probe_set.batches)):
        poll()
        centre = torch.zeros(scope.num_parameters, device=device)
        surface = surfaces(index)
        is_low = search_precision == "bfloat16"
        searched = BFloat16Surface(surface, device) if is_low else surface
        if search == "apgd":
            ascent = maximise_loss(searched, centre, rho, iterations)
            ascent = rescored(ascent, surface) if is_low else ascent
            best.append((ascent.best_losses - ascent.clean_losses).cpu())
            last.append((ascent.last_losses - ascent.clean_losses).cpu())
            gradients.append(iterations)
        else:
            found = _on_sphere(searched, centre, rho, iterations, tolerance, found_before)
            found = rescored_on_sphere(found, surface) if is_low else found
            found_before = towards(found.best, rho)
            best.append((found.best_losses - found.clean_losses).cpu())
            gradients.append(found.gradients)
    return WorstCase(torch.cat(best), torch.cat(last) if last else None, tuple(gradients))


def _on_sphere(
    surface: LossSurface, centre: Tensor, rho: float, iterations: int, tolerance: float, other_start: Tensor | None
) -> SphereAscent:
    """What a search on the sphere finds; where that is nothing, though the loss rises from the centre, what Auto-PGD
    finds inside the ball, which is then too large for the loss to rise all the way."""
    found = maximise_on_sphere(
        surface, centre, rho, tolerance=tolerance, max_gradients=iterations, other_start=other_start
    )
    if found.best is not centre or found.first is centre:
        return found
    inside = maximise_loss(surface, centre, rho, iterations)
    gradients = found.gradients + iterations
    return replace(found, best_losses=inside.best_losses, best=inside.best, gradients=gradients)


def mean_over_batches(increases: Tensor, sizes: Sequence[int]) -> float:
    """The mean over batches of the mean of `increases` [..., points] within each: every batch weighs the same."""
    blocks = torch.split(increases, list(sizes), dim=-1)
    return float(torch.stack([block.mean() for block in blocks]).mean())
