"""Critical sharpness (arXiv 2601.16979): how sharp the loss is along the update that the training is about to make.

lambda_c = 2 / eta_c, where eta_c is the smallest learning rate at which one update along its present direction d leaves
the loss higher than it is now: L(w - eta d) > L(w). On a quadratic, with plain gradient descent, it is g'Hg / g'g. It
takes losses only, no second derivative.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope
from thawline.probes.sharpness import Surfaces
from thawline.probes.update_direction import UpdateRule, update_direction

RELATIVE_WIDTH = 0.1
"""eta_c is known to lie in an interval of which the upper end is at most this much above the lower one."""
FIRST, SHORTEST, LONGEST = 3e-2, 1e-7, 1e3
"""Lengths of steps as shares of that of the weights in scope (of 1 where these are shorter): the first that is tried,
and those at which the search gives up: float32 does not show a shorter one, and 2 / eta beyond the other is no
sharpness that any training would notice."""
# A step that does not raise the loss is followed by one at least twice as long, and at most this many times.
MOST_GROWTH = 32.0
# Where the losses are a parabola to this much, the step predicted from one of them and the slope brackets eta_c.
MARGIN = 1.1
# Round a crossing predicted within a bracket, so that two trials leave less than RELATIVE_WIDTH.
INNER_MARGIN = 1 + 0.45 * RELATIVE_WIDTH
# A bracket of growth 32 takes 6 bisections; the bound ends what never settles.
MAX_TRIALS = 24


@dataclass(frozen=True)
class CriticalSharpness:
    """lambda_c, the critical learning rate eta_c that it is made of, and what each point does to lambda_c.

    `influences`, float64 [points] on the CPU, have mean zero: how the difference of losses at eta_c moves lambda_c,
    through the slope there, for the direction at hand. None where there is no eta_c to be moved.
    """

    value: float
    rate: float
    influences: Tensor | None


@dataclass(frozen=True)
class _Trial:
    rate: float
    increases: Tensor

    @property
    def mean(self) -> float:
        return float(self.increases.mean())

    @property
    def raises(self) -> bool:
        """A loss that is not finite is no lower."""
        return not self.mean <= 0


def critical_sharpness(
    surfaces: Surfaces, probe_set: ProbeSet, scope: Scope, rule: UpdateRule, poll: Callable[[], None]
) -> CriticalSharpness:
    """lambda_c of the mean loss over all probe points, along the update that their own mean gradient would make.

    That gradient goes through the optimizer's state as it is now. The gradient of the last training batch is not used:
    it is gone where a script has cleared it and in a resumed run, and would make the value depend on one batch.

    One forward and backward pass, one forward pass for the clean losses, and one for each learning rate that is tried.
    Raises UserError for an optimizer whose step cannot be made on a copy.
    """
    gradient = _mean_gradient(surfaces, probe_set, scope, poll)
    direction = update_direction(rule, scope, gradient)
    slope, length = -float(gradient.double() @ direction), float(direction.norm())
    if not math.isfinite(slope):
        return CriticalSharpness(math.nan, math.nan, None)
    if slope > 0:
        warnings.warn(
            "critical_sharpness is infinite where the momentum of the optimizer points uphill on the probe points: the "
            "shortest update along it raises their loss",
            stacklevel=2,
        )
        return CriticalSharpness(math.inf, 0.0, None)
    if length == 0:
        return _flat()
    clean = _losses(surfaces, probe_set, torch.zeros_like(gradient), poll)
    weights = math.sqrt(sum(float(parameter.detach().double().square().sum()) for parameter in scope.parameters))
    scale = max(weights, 1.0) / length

    def increases(rate: float) -> Tensor:
        return _losses(surfaces, probe_set, (-rate * direction).to(gradient.dtype), poll) - clean

    return find_critical_rate(increases, slope, [scale * share for share in (SHORTEST, FIRST, LONGEST)])


def find_critical_rate(
    increases: Callable[[float], Tensor], slope: float, bounds: Sequence[float]
) -> CriticalSharpness:
    """The search along a line: `increases(eta)` of the losses [points], whose mean falls with `slope` at 0.

    `bounds` are the shortest, the first and the longest eta. Steps at least double until one raises the mean (or halve
    until one does not), further where the parabola through the slope and the latest trial says so; then the interval is
    bisected, in ratio, or cut round a predicted crossing for as long as that halves it.
    """
    shortest, rate, longest = bounds
    low: _Trial | None = None
    high: _Trial | None = None
    width = math.inf
    for _ in range(MAX_TRIALS):
        trial = _Trial(rate, increases(rate))
        low, high = (low, trial) if trial.raises else (trial, high)
        if high is None and rate >= longest:
            return _flat()
        if low is None and rate <= shortest:
            return CriticalSharpness(math.inf, 0.0, None)
        if low is not None and high is not None and high.rate <= low.rate * (1 + RELATIVE_WIDTH):
            break
        predicted = _parabola(trial, slope)
        if high is None:
            rate = min(max(2 * rate, min(MARGIN * predicted, MOST_GROWTH * rate)), longest)
        elif low is None:
            rate = max(min(rate / 2, max(predicted / MARGIN, rate / MOST_GROWTH)), shortest)
        else:
            before, width = width, math.log(high.rate / low.rate)
            share = _zero_between(low, high) if width <= 0.6 * before else math.nan
            crossing = low.rate + share * (high.rate - low.rate)
            guess = crossing / INNER_MARGIN if trial.raises else crossing * INNER_MARGIN
            rate = guess if low.rate < guess < high.rate else math.sqrt(low.rate * high.rate)
    return _between(low, high)


def _parabola(trial: _Trial, slope: float) -> float:
    """Where the parabola through 0 with `slope` there, and through the trial, is 0 again; infinite if it is not."""
    curvature = (trial.mean - slope * trial.rate) / trial.rate**2
    return -slope / curvature if curvature > 0 else (0.0 if math.isnan(curvature) else math.inf)


def _zero_between(low: _Trial, high: _Trial) -> float:
    """Where the increase divided by eta, which is a line for a parabola, is zero: a share of the way up, or NaN."""
    below, above = low.mean / low.rate, high.mean / high.rate
    return -below / (above - below) if math.isfinite(above) and above > below else math.nan


def _between(low: _Trial | None, high: _Trial | None) -> CriticalSharpness:
    """eta_c within the bracket, and what each point does to it."""
    if low is None or high is None:
        return CriticalSharpness(math.nan, math.nan, None)
    share = _zero_between(low, high)
    if not math.isfinite(share):
        rate = math.sqrt(low.rate * high.rate)
        return CriticalSharpness(2 / rate, rate, None)
    rate = low.rate + share * (high.rate - low.rate)
    slope = rate * (high.mean / high.rate - low.mean / low.rate) / (high.rate - low.rate)
    excess = rate * torch.lerp(low.increases / low.rate, high.increases / high.rate, share)
    return CriticalSharpness(2 / rate, rate, 2 / rate**2 * excess / slope)


def _flat() -> CriticalSharpness:
    warnings.warn(
        "critical_sharpness is 0 where no update along the present direction raises the loss of the probe points, up "
        f"to one {LONGEST:g} times as long as the weights",
        stacklevel=3,
    )
    return CriticalSharpness(0.0, math.inf, None)


def _mean_gradient(surfaces: Surfaces, probe_set: ProbeSet, scope: Scope, poll: Callable[[], None]) -> Tensor:
    """That of the mean loss over all points, flat [num_parameters], in float64 for a model in float64."""
    is_double = all(parameter.dtype == torch.float64 for parameter in scope.parameters)
    zeros = torch.zeros(
        scope.num_parameters,
        dtype=torch.float64 if is_double else torch.float32,
        device=scope.parameters[0].device,
    )
    total, points = torch.zeros_like(zeros), sum(probe_set.sizes)
    for index, size in enumerate(probe_set.sizes):
        poll()
        total += surfaces(index).losses_and_gradient(zeros)[1] * (size / points)
    return total


def _losses(surfaces: Surfaces, probe_set: ProbeSet, perturbation: Tensor, poll: Callable[[], None]) -> Tensor:
    """The loss of each point at one perturbation, float64 [points] on the CPU: one forward pass."""
    found = []
    for index in range(len(probe_set.batches)):
        poll()
        found.append(surfaces(index).losses([perturbation])[0].cpu())
    return torch.cat(found)
