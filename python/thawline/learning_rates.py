"""Learning rates of the optimizer's groups: a schedule of the worker's own, times the controller's factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from thawline.config import ConstantSchedule, LinearSchedule, LinearTailSchedule, Schedule

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


class FactoredRates:
    """The rates that a user's own code or scheduler sets, times the factor, for the time of `optimizer.step()` alone.

    Whoever reads or computes rates outside that call, before or after it, sees them untouched: a scheduler that derives
    its next rate from the present one cannot compound the factor, and factor 1 changes nothing at all.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._factor = 1.0
        self._update = 0
        self._lent: list[Any] = []
        self._used: list[float] | None = None
        self._found_inf: torch.Tensor | None = None
        self._hooks = [
            optimizer.register_step_pre_hook(lambda *_: self._lend()),
            optimizer.register_step_post_hook(lambda *_: self._take_back()),
        ]

    def at(self, update: int, factor: float) -> list[float]:
        """What `update` was made with, once it was made; before, what the scheduler has set by now times `factor`."""
        if update == self._update and self._used is not None:
            return self._used
        return [float(group["lr"]) * factor for group in self._optimizer.param_groups]

    def apply(self, update: int, factor: float) -> None:
        self._update, self._factor, self._used, self._found_inf = update, factor, None, None

    @property
    def stepped(self) -> bool:
        """Whether this update has made its step; with a GradScaler it has none where gradients overflow."""
        return self._used is not None and (self._found_inf is None or self._found_inf.item() == 0)

    def detach(self) -> None:
        """Leaves the optimizer as it was found."""
        self._take_back()
        for hook in self._hooks:
            hook.remove()

    def _lend(self) -> None:
        self._take_back()  # Still lent where the step before raised.
        groups = self._optimizer.param_groups
        if self._factor != 1.0:
            # Kept and put back as objects: a rate may be a tensor, and dividing would not give the same bits.
            self._lent = [group["lr"] for group in groups]
            for group, rate in zip(groups, self._lent, strict=True):
                group["lr"] = rate * self._factor
        self._used = [float(group["lr"]) for group in groups]
        # A GradScaler calls the step of a fused optimizer in any case, and tells it here whether to do nothing.
        self._found_inf = getattr(self._optimizer, "found_inf", None)

    def _take_back(self) -> None:
        if not self._lent:
            return
        for group, rate in zip(self._optimizer.param_groups, self._lent, strict=True):
            group["lr"] = rate
        self._lent = []


def schedule_factor(schedule: Schedule, num_updates: int) -> Callable[[int], float]:
    """The schedule as a function from update (1..num_updates) to a share of the base rate.

    constant is the paper's (Table 5). linear_tail is constant, then falls linearly over the last `fraction` of the
    updates, so that the update after the last one would have rate 0. linear does so over all of them: the paper's for
    text, without warm-up, as transformers' `linear` has it.
    """
    match schedule:
        case ConstantSchedule():
            return lambda update: 1.0
        case LinearTailSchedule(fraction=fraction):
            tail = max(1, round(fraction * num_updates))
            return lambda update: min(1.0, (num_updates + 1 - update) / tail)
        case LinearSchedule():
            return lambda update: (num_updates + 1 - update) / num_updates
