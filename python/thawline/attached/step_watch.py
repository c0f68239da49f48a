"""Whether the optimizer that was attached is the one that makes the updates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from thawline.errors import UserError


class StepWatch:
    """Looks at the steps of every optimizer of this process, since a loop may have made itself another one.

    Updates without a step cannot be counted against it: a GradScaler may skip as many as it likes. A step by another
    optimizer that holds a watched parameter can, unless it is part of a step of the attached one (as in SAM).
    """

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter]) -> None:
        self._optimizer = optimizer
        self._watched = {id(parameter) for parameter in parameters}
        self._has_stepped = False
        self._other: str | None = None
        self._hook = register_optimizer_step_pre_hook(self._see)

    def begin_update(self) -> None:
        """Begins a new update: steps that were seen before it do not count."""
        self._has_stepped, self._other = False, None

    def check_update(self, update: int) -> None:
        """Raises UserError where the update was made by another optimizer, and not by the attached one."""
        if self._other is not None and not self._has_stepped:
            raise UserError(
                "other_optimizer",
                f"attach: `optimizer` made no step in update {update}, but another one ({self._other}) that holds "
                "parameters of the blocks or the head did",
                "give `attach` the optimizer whose `step` the loop calls, and make no other one after that",
            )

    def detach(self) -> None:
        """Removes the hook that sees the steps."""
        self._hook.remove()

    def _see(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if optimizer is self._optimizer:
            self._has_stepped = True
        elif any(id(parameter) in self._watched for group in optimizer.param_groups for parameter in group["params"]):
            self._other = type(optimizer).__name__
