"""Worst-case sharpness (equation 4) searched on the sphere of radius rho, instead of from its centre as Auto-PGD does.

The loss rises to the border of so small a ball. So the first step goes all the way, to rho g / |g|, and later ones
along the sphere to where the gradient points from there, x <- rho g(x) / |g(x)|: that never descends where the loss is
convex, and stays where g is parallel to x, as it is at a maximum on the sphere. From the third point on the last steps
are combined (`anderson`), which neither creeps nor jumps across the maximum. Where two in a row find nothing better,
half and a quarter of the way are tried. Three to six gradients find what fifteen iterations of Auto-PGD find
(docs/decisions/0022-a-search-on-the-sphere.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from thawline.probes.anderson import POINTS, Step, accelerated
from thawline.probes.apgd import norm_of
from thawline.probes.loss_surface import LossSurface

# Of the way to where the gradient points: what is tried where all of it, and what is combined then, does not gain.
SHORTER = (0.5, 0.25)


@dataclass(frozen=True)
class SphereAscent:
    """What a search found. Losses are per point, [points]; perturbations are flat, [dimension].

    `first` is the step along the clean gradient, zero where that is; `gradients` counts all that were computed.
    """

    clean_losses: Tensor
    best_losses: Tensor
    best: Tensor
    first: Tensor
    gradients: int


def maximise_on_sphere(
    surface: LossSurface,
    centre: Tensor,
    rho: float,
    *,
    tolerance: float,
    max_gradients: int,
    other_start: Tensor | None = None,
) -> SphereAscent:
    """Maximises the mean loss of `surface` over ||delta||_2 <= rho, on its sphere; `centre` is all zeros.

    The search begins at rho g / |g|, or at `other_start`, a point of the sphere, where the loss is larger there. It
    stops when the last two gains together were less than `tolerance` of what was found, or as much is all that later
    ones would add if they went on shrinking as the last one did, when no step gains, or after `max_gradients` gradients
    and at most three more forward passes. The centre is a candidate, so the best is never below the clean loss. Once a
    step it waits for the device, to know whether it was the last.
    """
    walk = _Walk(surface, rho, max_gradients)
    clean = walk.visit(centre)
    other = None if other_start is None else walk.score(other_start)
    best = here = clean if clean.target is None else walk.visit(clean.target)
    if other is not None and other.value > here.value:
        best = here = walk.with_gradient(other)
    gains = _Gains()
    while here.target is not None:
        enough = tolerance * (best.value - clean.value)
        found = walk.step(here, gains.is_next_last(enough))
        # The first that falls says where not to go: the next one is combined of both.
        if found.value <= best.value and (here is not best or found.target is None):
            shorter = walk.shorter(best, enough)
            if shorter is None:
                break
            found = shorter
        if found.value > best.value:
            gains, best = gains.then(found.value - best.value), found
            if gains.are_over(tolerance * (best.value - clean.value)):
                break
        here = walk.with_gradient(found)
        best = here if found is best else best
    best = best if best.value > clean.value else clean
    first = centre if clean.target is None else clean.target
    return SphereAscent(clean.losses, best.losses, best.point, first, walk.gradients)


@dataclass(frozen=True)
class _Gains:
    """What the last two steps on the sphere gained; infinite before there was one."""

    before: float = math.inf
    last: float = math.inf

    def then(self, gain: float) -> _Gains:
        return _Gains(self.last, gain)

    def are_over(self, enough: float) -> bool:
        return self.before + self.last < enough or self._left(after=1) < enough

    def is_next_last(self, enough: float) -> bool:
        """Whether the next step is likely the last, whose end needs no gradient: it gains little, or leaves little."""
        return self.last < enough or self._left(after=2) < enough

    def _left(self, after: int) -> float:
        """The sum of all gains from the `after`-th next step on, each the same share of the one before."""
        if not self.last < self.before < math.inf:
            return math.inf
        share = self.last / self.before
        return self.last * share**after / (1 - share)


def towards(direction: Tensor, rho: float) -> Tensor | None:
    """The point of the sphere of radius rho in this direction; None where there is none (zero, or not finite)."""
    norm = float(norm_of(direction))
    return direction * (rho / norm) if 0 < norm < math.inf else None


@dataclass(frozen=True)
class _Visit:
    """A point, its losses and their mean; where its gradient points on the sphere, None where that is not known.

    `slope` bounds what a step to the target gains where the loss is concave on the way.
    """

    point: Tensor
    losses: Tensor
    value: float
    target: Tensor | None = None
    slope: float = 0.0


class _Walk:
    """Evaluates points, and counts gradients."""

    def __init__(self, surface: LossSurface, rho: float, max_gradients: int) -> None:
        self._surface, self._rho, self._max_gradients = surface, rho, max_gradients
        self._steps: list[Step] = []
        self.gradients = 0

    def score(self, point: Tensor) -> _Visit:
        """A forward pass."""
        (losses,) = self._surface.losses([point])
        return _Visit(point, losses, float(losses.mean()))

    def visit(self, point: Tensor) -> _Visit:
        """With the gradient, as long as there may be another one."""
        if self.gradients == self._max_gradients:
            return self.score(point)
        self.gradients += 1
        losses, gradient = self._surface.losses_and_gradient(point)
        target = towards(gradient, self._rho)
        if target is None:
            return _Visit(point, losses, float(losses.mean()))
        # g (target - point) for a point of the sphere, without the cancellation.
        slope = float(norm_of(gradient) * norm_of(target - point).square()) / (2 * self._rho)
        return _Visit(point, losses, float(losses.mean()), target, slope)

    def with_gradient(self, known: _Visit) -> _Visit:
        """The same point with its gradient, if there may be another one."""
        spent = known.target is not None or self.gradients == self._max_gradients
        return known if spent else self.visit(known.point)

    def step(self, here: _Visit, is_likely_last: bool) -> _Visit:
        """Where the last steps and the one from `here` combine to, or where the gradient points from `here`."""
        assert here.target is not None
        self._steps = [*self._steps[1 - POINTS :], Step(here.point, here.target)]
        combined = accelerated(self._steps)
        candidate = None if combined is None else towards(combined, self._rho)
        point = here.target if candidate is None else candidate
        return self.score(point) if is_likely_last else self.visit(point)

    def shorter(self, best: _Visit, least_gain: float) -> _Visit | None:
        """A point with a larger loss on the way to the target of `best`, if the slope promises `least_gain` and one is
        found. The steps so far are forgotten: they have led nowhere."""
        self._steps = []
        if best.target is None or best.slope < least_gain:
            return None
        for share in SHORTER:
            candidate = towards(best.point.lerp(best.target, share), self._rho)
            found = None if candidate is None else self.score(candidate)
            if found is not None and found.value > best.value:
                return found
        return None
