"""Learning rates of the optimizer's groups: a schedule of the worker's own, times the controller's factor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import torch

# What the rates of parameters that warm up are multiplied by beside the factor of all, by the parameter's `id`.
Ramps: TypeAlias = Mapping[int, float]
NO_RAMPS: Ramps = MappingProxyType({})


class LearningRates(Protocol):
    """The learning rates of an optimizer's groups, whoever sets them: a schedule of ours, or a script's scheduler."""

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The one whose rates they are."""

    def at(self, update: int, factor: float, ramps: Ramps = NO_RAMPS) -> list[float]:
        """The rate of each group in `update` (1, 2, ...) under the controller's `factor`, and the `ramps` of some."""

    def apply(self, update: int, factor: float, ramps: Ramps = NO_RAMPS) -> None:
        """Makes `update` be made with the rates that `at` gives."""


def factor_of(group: Mapping[str, Any], factor: float, ramps: Ramps) -> float:
    """What the rate of an optimizer's group is multiplied by: one that warms up holds parameters of one block only."""
    parameters = group["params"] if ramps else ()
    return factor * ramps.get(id(parameters[0]), 1.0) if parameters else factor


class ScheduledRates:
    """lr(i) = base rate * schedule(i) * factor, for every group alike but for those that warm up."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Callable[[int], float]) -> None:
        self.optimizer = optimizer
        self._schedule = schedule
        self._base = [float(group["lr"]) for group in optimizer.param_groups]

    def at(self, update: int, factor: float, ramps: Ramps = NO_RAMPS) -> list[float]:
        factors = [factor_of(group, factor, ramps) for group in self.optimizer.param_groups]
        return [base * self._schedule(update) * own for base, own in zip(self._base, factors, strict=True)]

    def apply(self, update: int, factor: float, ramps: Ramps = NO_RAMPS) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.at(update, factor, ramps), strict=True):
            group["lr"] = rate


class FactoredRates:
    """The rates that a user's own code or scheduler sets, times the factor, for the time of `optimizer.step()` alone.

    Whoever reads or computes rates outside that call, before or after it, sees them untouched: a scheduler that derives
    its next rate from the present one cannot compound the factor, and factor 1 changes nothing at all.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self._factor, self._ramps = 1.0, NO_RAMPS
        self._update = 0
        self._lent: list[Any] = []
        self._used: list[float] | None = None
        self._found_inf: torch.Tensor | None = None
        self._hooks = [
            optimizer.register_step_pre_hook(lambda *_: self._lend()),
            optimizer.register_step_post_hook(lambda *_: self._take_back()),
        ]

    def at(self, update: int, factor: float, ramps: Ramps = NO_RAMPS) -> list[float]:
        """What `update` was made with, once it was made; before, what the scheduler has set by now times `factor`."""
        if update == self._update and self._used is not None:
            return self._used
        return [float(group["lr"]) * factor_of(group, factor, ramps) for group in self.optimizer.param_groups]

    def apply(self, update: int, factor: float, ramps: Ramps = NO_RAMPS) -> None:
        self._update, self._used, self._found_inf = update, None, None
        self._factor, self._ramps = factor, ramps

    @property
    def stepped(self) -> bool:
        """Whether this update has made its step; with a GradScaler it has none where gradients overflow."""
        return self._used is not None and (self._found_inf is None or self._found_inf.item() == 0)

    def detach(self) -> None:
        """Leaves the optimizer as it was found."""
        self._put_back()
        for hook in self._hooks:
            hook.remove()

    def _lend(self) -> None:
        if self._is_inner_step():
            return
        self._put_back()  # Still lent where the step before raised.
        groups = self.optimizer.param_groups
        if self._factor != 1.0 or self._ramps:
            # Kept and put back as objects: a rate may be a tensor, and dividing would not give the same bits.
            self._lent = [group["lr"] for group in groups]
            for group, rate in zip(groups, self._lent, strict=True):
                group["lr"] = rate * factor_of(group, self._factor, self._ramps)
        self._used = [float(group["lr"]) for group in groups]
        # A GradScaler calls the step of a fused optimizer in any case, and tells it here whether to do nothing.
        self._found_inf = getattr(self.optimizer, "found_inf", None)

    def _take_back(self) -> None:
        if self._lent and not self._is_inner_step():
            self._put_back()

    def _is_inner_step(self) -> bool:
        """Whether this is `super().step()`, which has hooks of its own, in the step of a subclass.

        Calls that stand on the stack are counted, since none is missed there where a step raises.
        """
        calls, frame = 0, sys._getframe(1)
        while frame is not None and calls < 2:
            code = frame.f_code
            if code.co_name == "wrapper" and code.co_filename.endswith("optimizer.py"):
                arguments = frame.f_locals.get("args", ())
                calls += len(arguments) > 0 and arguments[0] is self.optimizer
            frame = frame.f_back  # type: ignore[assignment]
        return calls > 1

    def _put_back(self) -> None:
        if self._lent:
            for group, rate in zip(self.optimizer.param_groups, self._lent, strict=True):
                group["lr"] = rate
        self._lent = []
