"""Learning rates of the optimizer's groups: a schedule of the worker's own, times the controller's factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from thawline.config import ConstantSchedule, LinearTailSchedule, Schedule

if TYPE_CHECKING:
    import torch


class LearningRates(Protocol):
    """Who owns the rates: the built-in trainers compute them, a user's script has a scheduler."""

    def at(self, update: int, factor: float) -> list[float]:
        """The rate of each group in `update` (1, 2, ...) under the controller's `factor`."""

    def apply(self, update: int, factor: float) -> None:
        """Sets these rates."""


class ScheduledRates:
    """lr(i) = base rate * schedule(i) * factor, for every group alike."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Callable[[int], float]) -> None:
        self._optimizer = optimizer
        self._schedule = schedule
        self._base = [float(group["lr"]) for group in optimizer.param_groups]

    def at(self, update: int, factor: float) -> list[float]:
        return [base * self._schedule(update) * factor for base in self._base]

    def apply(self, update: int, factor: float) -> None:
        for group, rate in zip(self._optimizer.param_groups, self.at(update, factor), strict=True):
            group["lr"] = rate


def schedule_factor(schedule: Schedule, num_updates: int) -> Callable[[int], float]:
    """The schedule as a function from update (1..num_updates) to a share of the base rate.

    constant is the paper's (Table 5). linear_tail is constant, then falls linearly over the last `fraction` of the
    updates, so that the update after the last one would have rate 0.
    """
    match schedule:
        case ConstantSchedule():
            return lambda update: 1.0
        case LinearTailSchedule(fraction=fraction):
            tail = max(1, round(fraction * num_updates))
            return lambda update: min(1.0, (num_updates + 1 - update) / tail)
