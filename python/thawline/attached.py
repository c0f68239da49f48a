"""`thawline.attach`: puts a user's own training loop under a controller, and stays out of its way where there is none.

with thawline.attach(model, optimizer, blocks=[("layer4", r"^layer4\\."), ...], head=r"^fc\\.") as run:
    for batch in batches:
        run.before_update()
        ...  # forward, backward, optimizer.step()
        run.after_update(loss)

An update is one call of `optimizer.step()`, however many batches its gradient was accumulated over.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch
from torch import nn

from thawline.arguments import Probe, Training, check_arguments
from thawline.bootstrap import BOOTSTRAP_VARIABLE, read_bootstrap
from thawline.channel import Channel, ZmqChannel
from thawline.config import parse_attached_config
from thawline.controlled_run import ControlledRun
from thawline.failure import describe_failure, report_failure
from thawline.handshake import Rejected, shake_hands
from thawline.learning_rates import FactoredRates
from thawline.optimizers import complete_momentum
from thawline.process import bind_life_to_controller
from thawline.script_state import ListeningChannel, ScriptState, parse_state
from thawline.session import TrainingStopped
from thawline.step_watch import StepWatch

__all__ = ["AttachedRun", "InertSession", "Probe", "attach"]


class AttachedRun(Protocol):
    """What a training loop sees, with a controller or without one."""

    @property
    def step(self) -> int:
        """Number of updates completed."""

    @property
    def stopped(self) -> bool:
        """Whether the controller, and not the loop itself, ended the training."""

    @property
    def k(self) -> int | None:
        """The unfreezing interval, or the update of the switch, once it is decided; None without a controller."""

    def before_update(self) -> None:
        """Returns when the next update may be made; leaves the `with` block where the controller ends the run."""

    def after_update(self, loss: torch.Tensor | None, num_samples: int = 0) -> None:
        """Counts an update; `loss` is its training loss, a scalar tensor, or None where the loop does not know it.

        An update whose step a GradScaler skipped counts like any other, and its loss is not looked at. Raises
        NonFiniteLossError, and UserError for other arguments, for a call without `before_update`, and for an update
        that another optimizer made.
        """

    def state_dict(self) -> dict[str, Any]:
        """What the script has to put into its own checkpoint: plain values, for torch.save and for JSON."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state`; to be called before the first `before_update`.

        Raises UserError for what `state_dict` never gave.
        """


@contextmanager
def attach(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    blocks: Sequence[tuple[str, str]],
    head: str | None = None,
    probe: Probe | None = None,
    num_updates: int | None = None,
    resumed_from: int = 0,
) -> Iterator[AttachedRun]:
    """Puts a training under the controller that started this script, for the length of a `with` block.

    `blocks` are (name, regular expression) pairs, top first, each searched for in the names of the parameters; `head`
    is the expression of what trains from the start, None for everything that is in no block. The optimizer must hold
    all of them; nothing is ever added to it or removed. A parameter that is frozen already and in no block stays frozen
    for ever. Without `probe` no signal is measured. `num_updates` is None where only the loop knows its end. A script
    that restores a checkpoint of its own calls `run.load_state_dict`; `resumed_from` says how many updates a checkpoint
    had that has no state of a run in it, which only works without a controller.

    Without a controller (no THAWLINE_BOOTSTRAP in the environment) one line says so, and nothing else happens; the
    arguments are checked all the same. Learning rates stay the script's own: the controller's factor holds during
    `optimizer.step()` only. Raises UserError naming the argument, what was expected and what was got.
    """
    check = functools.partial(
        check_arguments,
        model,
        optimizer,
        blocks=blocks,
        head=head,
        probe=probe,
        num_updates=num_updates,
        resumed_from=resumed_from,
    )
    bootstrap = read_bootstrap(os.environ)
    if bootstrap is None:
        check()
        _say_once_that_nothing_happens()
        yield InertSession(resumed_from)
        return
    bind_life_to_controller(bootstrap.controller_pid)
    channel = ZmqChannel(bootstrap)
    try:
        with attach_over(channel, bootstrap.run, bootstrap.attempt, check) as controlled:
            yield controlled
    finally:
        channel.close()


@contextmanager
def attach_over(channel: Channel, run: str, attempt: int, check: Callable[[], Training]) -> Iterator[AttachedRun]:
    """`attach` on a channel that is open, in the run named `run`; `check` gives the training, or raises UserError."""
    controlled: ControlledRun | None = None

    def begin_step() -> None:
        if controlled is not None:
            controlled.begin_step()

    try:
        welcome = shake_hands(channel, attempt)
        training = check()
        with _hooked(training.optimizer, begin_step) as rates, _watched(training) as steps:
            controlled = ControlledRun(
                ListeningChannel(channel, run),
                training,
                parse_attached_config(welcome.config),
                rates,
                steps,
                run=run,
                run_folder=Path(welcome.run_folder),
            )
            with suppress(TrainingStopped):
                yield controlled
            controlled.end()
    except Rejected:
        raise
    except BaseException as error:
        report_failure(channel, describe_failure(error, 0 if controlled is None else controlled.step))
        raise


class InertSession:
    """Outside a run: counts updates, reads nothing, changes nothing."""

    def __init__(self, step: int = 0) -> None:
        self.step = step
        self.stopped = False
        self.k = None

    def before_update(self) -> None:
        pass

    def after_update(self, loss: torch.Tensor | None, num_samples: int = 0) -> None:
        self.step += 1

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = msgspec.to_builtins(ScriptState(step=self.step))
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = parse_state(state).step


@contextmanager
def _hooked(optimizer: torch.optim.Optimizer, begin_step: Callable[[], None]) -> Iterator[FactoredRates]:
    """`begin_step` is called first in every `optimizer.step()`. Afterwards the optimizer is as it was found."""
    hooks = [
        optimizer.register_step_pre_hook(lambda *_: begin_step()),
        optimizer.register_step_pre_hook(lambda *_: complete_momentum(optimizer)),
    ]
    rates = FactoredRates(optimizer)
    try:
        yield rates
    finally:
        rates.detach()
        for hook in hooks:
            hook.remove()


@contextmanager
def _watched(training: Training) -> Iterator[StepWatch]:
    named, block_map = dict(training.model.named_parameters()), training.block_map
    names = [name for block in (block_map.head, *block_map.blocks) for name in block.parameter_names]
    steps = StepWatch(training.optimizer, [named[name] for name in names])
    try:
        yield steps
    finally:
        steps.detach()


@functools.cache
def _say_once_that_nothing_happens() -> None:
    logging.getLogger("thawline").warning(
        "thawline: %s is not set, so this script trains on its own, without a controller", BOOTSTRAP_VARIABLE
    )
