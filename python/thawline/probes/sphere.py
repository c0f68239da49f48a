"""Worst-case sharpness (equation 4) searched on the sphere of radius rho, instead of from its centre as Auto-PGD does.

The loss rises to the border of so small a ball. So the first step goes all the way, to rho g / |g|, and later ones
along the sphere to where the gradient points from there, x <- rho g(x) / |g(x)|: that never descends where the loss is
convex, and stays where g is parallel to x, as it is at a maximum on the sphere. Where the loss falls, half or a quarter
of the way is tried. Three to five gradients find what fifteen iterations of Auto-PGD find
(docs/decisions/0022-a-search-on-the-sphere.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from thawline.probes.apgd import norm_of
from thawline.probes.loss_surface import LossSurface

# Of the way to where the gradient points: what is tried, one after the other, until the loss is larger.
SHARES = (1.0, 0.5, 0.25)


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
    stops when the last two steps together gained less than `tolerance` of what was found, when no step gains, or after
    `max_gradients` gradients and one more forward pass. The centre is a candidate, so the best is never below the clean
    loss. Once a step it waits for the device, to know whether it was the last.
    """
    walk = _Walk(surface, rho, max_gradients)
    clean = walk.visit(centre)
    other = None if other_start is None else walk.score(other_start)
    here = clean if clean.target is None else walk.visit(clean.target)
    if other is not None and other.value > here.value:
        here = walk.with_gradient(other)
    gain_before = math.inf
    while here.target is not None:
        # After a step that gained little the next is likely the last, whose end needs no gradient.
        is_likely_last = gain_before < tolerance * (here.value - clean.value)
        step = walk.step(here, tolerance * (here.value - clean.value), is_likely_last)
        if step is None:
            break
        gain, here = step.value - here.value, step
        if gain_before + gain < tolerance * (here.value - clean.value):
            break
        gain_before, here = gain, walk.with_gradient(here)
    best = here if here.value > clean.value else clean
    first = centre if clean.target is None else clean.target
    return SphereAscent(clean.losses, best.losses, best.point, first, walk.gradients)


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
        self._share = SHARES[0]
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

    def step(self, here: _Visit, least_gain: float, is_likely_last: bool) -> _Visit | None:
        """A point with a larger loss on the way to the target; None if there is none.

        Begins with the share of the way that was right in the step before. Shorter steps are tried only where the slope
        promises `least_gain` or more.
        """
        assert here.target is not None
        for tried, share in enumerate(share for share in SHARES if share <= self._share):
            if tried > 0 and here.slope < least_gain:
                return None
            candidate = here.target if share == 1.0 else towards(here.point.lerp(here.target, share), self._rho)
            if candidate is None:
                return None
            found = self.score(candidate) if tried > 0 or is_likely_last else self.visit(candidate)
            if found.value > here.value:
                self._share = share
                return found
        return None
