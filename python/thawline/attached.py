"""`thawline.attach`: puts a user's own training loop under a controller, and stays out of its way where there is none.

with thawline.attach(model, optimizer, blocks=[("layer4", r"^layer4\\."), ...], head=r"^fc\\.") as run:
    for batch in batches:
        run.before_update()
        ...  # forward, backward, optimizer.step()
        run.after_update(loss)
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from thawline.arguments import Probe, Training, check_arguments
from thawline.bootstrap import BOOTSTRAP_VARIABLE, read_bootstrap
from thawline.channel import Channel, ZmqChannel
from thawline.config import AttachedConfig, parse_attached_config
from thawline.errors import UserError
from thawline.failure import describe_failure, report_failure
from thawline.handshake import Rejected, shake_hands
from thawline.learning_rates import FactoredRates
from thawline.probe_settings import probe_settings
from thawline.probes import Prober, ProbeSet
from thawline.process import bind_life_to_controller
from thawline.session import Session, TrainingStopped
from thawline.training import Facts

__all__ = ["AttachedRun", "InertSession", "Probe", "attach"]


class AttachedRun(Protocol):
    """What a training loop sees, with a controller or without one."""

    @property
    def step(self) -> int:
        """Number of updates completed."""

    @property
    def stopped(self) -> bool:
        """Whether the controller, and not the loop itself, ended the training."""

    def before_update(self) -> None:
        """Returns when the next update may be made; leaves the `with` block where the controller ends the run."""

    def after_update(self, loss: torch.Tensor, num_samples: int = 0) -> None:
        """Counts an update that was made; `loss` is its training loss, a scalar tensor.

        Raises NonFiniteLossError.
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
    all of them; nothing is ever added to it or removed. Without `probe` no signal is measured. `num_updates` is None
    where only the loop knows its end. A script that restored a checkpoint of its own says in `resumed_from` how many
    updates that had.

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
        with attach_over(channel, bootstrap.attempt, check) as run:
            yield run
    finally:
        channel.close()


@contextmanager
def attach_over(channel: Channel, attempt: int, check: Callable[[], Training]) -> Iterator[AttachedRun]:
    """`attach` on a channel that is open; `check` gives the training, or raises the user's mistake."""
    run: _ControlledRun | None = None
    try:
        welcome = shake_hands(channel, attempt)
        training = check()
        with _factored_rates(training.optimizer) as rates:
            config = parse_attached_config(welcome.config)
            session = _open_session(channel, training, config, rates, Path(welcome.run_folder))
            run = _ControlledRun(session, training.num_updates)
            run.begin()
            with suppress(TrainingStopped):
                yield run
            run.end()
    except Rejected:
        raise
    except BaseException as error:
        report_failure(channel, describe_failure(error, 0 if run is None else run.step))
        raise


class InertSession:
    """Outside a run: counts updates, reads nothing, changes nothing."""

    def __init__(self, step: int = 0) -> None:
        self.step = step
        self.stopped = False

    def before_update(self) -> None:
        pass

    def after_update(self, loss: torch.Tensor, num_samples: int = 0) -> None:
        self.step += 1


class _ControlledRun:
    """Inside a run: a session, and the memory of how it was ended."""

    def __init__(self, session: Session, num_updates: int | None) -> None:
        self._session = session
        self._num_updates = num_updates
        self._end: TrainingStopped | None = None

    @property
    def step(self) -> int:
        return self._session.step

    @property
    def stopped(self) -> bool:
        return self._end is not None

    def begin(self) -> None:
        # A `with` block cannot be skipped: a stop that comes this early is raised by the first `before_update`.
        try:
            self._session.begin()
        except TrainingStopped as stopped:
            self._end = stopped

    def before_update(self) -> None:
        # Raised again for a loop that catches every exception and goes on.
        if self._end is not None:
            raise self._end
        try:
            self._session.before_update()
        except TrainingStopped as stopped:
            self._end = stopped
            raise

    def after_update(self, loss: torch.Tensor, num_samples: int = 0) -> None:
        self._session.after_update(loss, num_samples)

    def end(self) -> None:
        """Says how it ended. Raises UserError where the loop made fewer updates than it had announced."""
        if self._end is not None:
            self._session.close(self._end)
            return
        if self._num_updates is not None and self.step < self._num_updates:
            raise UserError(
                "ended_early",
                f"attach: `num_updates` is {self._num_updates}, but the `with` block ended after {self.step} updates",
                "leave `num_updates` out where the loop may end early",
            )
        self._session.finish()


def _open_session(
    channel: Channel, training: Training, config: AttachedConfig, rates: FactoredRates, run_folder: Path
) -> Session:
    parameter = next(training.model.parameters())
    return Session(
        channel,
        training.model,
        training.block_map,
        rates,
        facts=Facts(training.num_updates, None, str(parameter.device), torch.get_num_threads(), config.seed),
        run_folder=run_folder,
        prober=_build_prober(training, config),
        step=training.resumed_from,
    )


def _build_prober(training: Training, config: AttachedConfig) -> Prober | None:
    probe, block_map = training.probe, training.block_map
    if probe is None:
        return None
    settings = probe_settings(config.seed, config.probe, config.intervention, block_map)
    return Prober(training.model, probe.objective, ProbeSet(probe.batches), settings)


@contextmanager
def _factored_rates(optimizer: torch.optim.Optimizer) -> Iterator[FactoredRates]:
    rates = FactoredRates(optimizer)
    try:
        yield rates
    finally:
        rates.detach()


@functools.cache
def _say_once_that_nothing_happens() -> None:
    logging.getLogger("thawline").warning(
        "thawline: %s is not set, so this script trains on its own, without a controller", BOOTSTRAP_VARIABLE
    )
