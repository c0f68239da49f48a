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

from thawline.attached.arguments import Probe, Training, check_arguments
from thawline.attached.controlled_run import ControlledRun, OptimizerHooks
from thawline.attached.listening_channel import ListeningChannel
from thawline.attached.ranks import refuse_other_ranks
from thawline.attached.script_state import ScriptState, parse_state
from thawline.attached.step_watch import StepWatch
from thawline.config.run import parse_attached_config
from thawline.host.process import bind_life_to_controller
from thawline.lockstep.session import TrainingStopped
from thawline.steering.momentum import complete_momentum
from thawline.steering.rates import FactoredRates
from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE, read_bootstrap
from thawline.wire.channel import Channel, ZmqChannel
from thawline.wire.failure import describe_failure, is_clean, report_failure
from thawline.wire.handshake import Rejected, shake_hands

__all__ = ["AttachedRun", "InertRun", "Probe", "attach"]


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

    def record(self, name: str, value: Any, standard_error: Any = None) -> None:
        """Tells the controller a number that the loop has computed, such as a loss on a validation set.

        `name` has up to 64 letters, digits, `_`, `.`, `-` and `/` after a letter; a run has 64 of them at most. `value`
        and `standard_error` are numbers, or tensors of one element; they may be NaN or infinite. The number belongs to
        the next boundary, before an update that has not begun: `intervention.signal=recorded:NAME` decides there. Of
        two under one name between two boundaries the last counts. Raises UserError.
        """

    def finish(self) -> None:
        """Says that the training ends here, though `num_updates` are not made: to be called before the loop is left.

        The run then ends as finished. No update may follow.
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
    leads_ranks: bool = False,
) -> Iterator[AttachedRun]:
    """Puts a training under the controller that started this script, for the length of a `with` block.

    `blocks` are (name, regular expression) pairs, top first, each searched for in the names of the parameters; `head`
    is the expression of what trains from the start, None for everything that is in no block. The optimizer must hold
    all of them; nothing is ever added to it or removed. A parameter that is frozen already and in no block stays frozen
    for ever. Without `probe` no signal is measured. `num_updates` is None where only the loop knows its end. A script
    that restores a checkpoint of its own calls `run.load_state_dict`; `resumed_from` says how many updates a checkpoint
    had that has no state of a run in it, which only works without a controller. `leads_ranks`: this is rank 0 of
    several processes that train together, attaches alone, and hands the parameters' flags on to the others.

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
    if os.environ.get(BOOTSTRAP_VARIABLE):
        refuse_other_ranks(os.environ, leads_ranks=leads_ranks)
    bootstrap = read_bootstrap(os.environ)
    if bootstrap is None:
        check()
        _say_once_that_nothing_happens()
        yield InertRun(resumed_from)
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
    ended = False

    def begin_step() -> None:
        if controlled is not None:
            controlled.begin_step()

    try:
        welcome = shake_hands(channel, attempt)
        training = check()
        with _hooked(training, begin_step) as hooks:
            controlled = ControlledRun(
                ListeningChannel(channel, run),
                training,
                parse_attached_config(welcome.config),
                hooks,
                run_folder=Path(welcome.run_folder),
            )
            left: SystemExit | None = None
            with suppress(TrainingStopped):
                try:
                    yield controlled
                except SystemExit as exit_:
                    if not is_clean(exit_):
                        raise
                    # The script's own way out of the block, as good as any other.
                    left = exit_
            controlled.end()
            ended = True
            if left is not None:
                raise left
    except Rejected:
        raise
    except BaseException as error:
        if not ended:
            report_failure(channel, describe_failure(error, 0 if controlled is None else controlled.step))
        raise
    finally:
        if controlled is not None:
            controlled.detach()


class InertRun:
    """The `AttachedRun` without a controller: counts updates, reads nothing, changes nothing."""

    def __init__(self, step: int = 0) -> None:
        self.step = step
        self.stopped = False
        self.k = None

    def before_update(self) -> None:
        pass

    def after_update(self, loss: torch.Tensor | None, num_samples: int = 0) -> None:
        self.step += 1

    def record(self, name: str, value: Any, standard_error: Any = None) -> None:
        pass

    def finish(self) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = msgspec.to_builtins(ScriptState(step=self.step))
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = parse_state(state).step


@contextmanager
def _hooked(training: Training, begin_step: Callable[[], None]) -> Iterator[OptimizerHooks]:
    """`begin_step` is called first in every `optimizer.step()`. Afterwards the optimizer is as it was found."""
    optimizer = training.optimizer
    hooks = [
        optimizer.register_step_pre_hook(lambda *_: begin_step()),
        optimizer.register_step_pre_hook(lambda *_: complete_momentum(optimizer)),
    ]
    rates, steps = FactoredRates(optimizer), _watch(training)
    try:
        yield OptimizerHooks(rates, steps)
    finally:
        steps.detach()
        rates.detach()
        for hook in hooks:
            hook.remove()


def _watch(training: Training) -> StepWatch:
    named, block_map = dict(training.model.named_parameters()), training.block_map
    names = [name for block in (block_map.head, *block_map.blocks) for name in block.parameter_names]
    return StepWatch(training.optimizer, [named[name] for name in names])


@functools.cache
def _say_once_that_nothing_happens() -> None:
    logging.getLogger("thawline").warning(
        "thawline: %s is not set, so this script trains on its own, without a controller", BOOTSTRAP_VARIABLE
    )
