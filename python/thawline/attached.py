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
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from thawline.blocks import BlockMap, blocks_from_patterns
from thawline.bootstrap import BOOTSTRAP_VARIABLE, read_bootstrap
from thawline.channel import Channel, ZmqChannel
from thawline.config import AttachedConfig, parse_attached_config
from thawline.errors import UserError
from thawline.failure import describe_failure, report_failure
from thawline.handshake import Rejected, shake_hands
from thawline.learning_rates import FactoredRates
from thawline.probes import ClassificationObjective, Objective, Prober, ProbeSet, ProbeSettings
from thawline.probes.objective import Batch
from thawline.process import bind_life_to_controller
from thawline.session import Session, TrainingStopped
from thawline.training import Facts

logger = logging.getLogger("thawline")


@dataclass(frozen=True)
class Probe:
    """The fixed, un-augmented batches on which signals are measured, on the model's device, and what they mean.

    For a classifier that ends in the linear layer `fc`, `objective=ClassificationObjective(head_name="fc")` makes the
    signals nearly free while only the head is trainable. Other tasks bring an `Objective` of their own.
    """

    batches: Sequence[Batch]
    objective: Objective = field(default_factory=ClassificationObjective)


class AttachedRun(Protocol):
    """What a training loop sees, with a controller or without one."""

    @property
    def step(self) -> int:
        """Number of updates completed."""

    @property
    def stopped(self) -> bool:
        """Whether the controller, and not the loop itself, ended the training."""

    def before_update(self) -> None:
        """Returns when the next update may be made; ends the `with` block where the controller ends the run."""

    def after_update(self, loss: torch.Tensor, num_samples: int = 0) -> None:
        """Counts an update, right after `optimizer.step()`; `loss` is its training loss, a scalar tensor.

        Raises NonFiniteLossError.
        """


class InertRun:
    """Outside a run: counts updates, reads nothing, changes nothing."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.stopped = False

    def before_update(self) -> None:
        pass

    def after_update(self, loss: torch.Tensor, num_samples: int = 0) -> None:
        self.step += 1


class ControlledRun:
    """Inside a run: a session, and the memory that it was ended."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._end: TrainingStopped | None = None

    @property
    def step(self) -> int:
        return self._session.step

    @property
    def stopped(self) -> bool:
        return self._end is not None

    def before_update(self) -> None:
        # A loop that caught every exception and went on must not train past its end.
        if self._end is not None:
            raise self._end
        try:
            self._session.before_update()
        except TrainingStopped as stopped:
            self._end = stopped
            raise

    def after_update(self, loss: torch.Tensor, num_samples: int = 0) -> None:
        self._session.after_update(loss, num_samples)


@dataclass(frozen=True)
class Training:
    """A user's training as `attach` was told of it, checked."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    block_map: BlockMap
    probe: Probe | None
    num_updates: int | None
    resumed_from: int


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
    is the expression of what trains from the start, None for everything that is in no block. The optimizer holds all
    of them, and nothing is ever added to it or removed. Without `probe` no signal is measured. `num_updates` is None
    where the loop alone knows its end. A script that restored its own checkpoint says how many updates that had in
    `resumed_from`.

    Without a controller (no THAWLINE_BOOTSTRAP in the environment) one line says so, and nothing else happens. The
    arguments are checked either way. Learning rates stay the script's own: the controller's factor holds during
    `optimizer.step()` only. Raises UserError naming the argument, what was expected and what was got.
    """
    bootstrap = read_bootstrap(os.environ)
    if bootstrap is None:
        _check(model, optimizer, blocks, head, probe, num_updates, resumed_from)
        _say_inert()
        yield InertRun(resumed_from)
        return
    bind_life_to_controller(bootstrap.controller_pid)
    channel = ZmqChannel(bootstrap)
    try:
        with reporting_failures(channel) as failing_at:
            config, run_folder = _enter(channel, bootstrap.attempt)
            training = _check(model, optimizer, blocks, head, probe, num_updates, resumed_from)
            with controlled(channel, training, config, run_folder) as run:
                yield run
    finally:
        channel.close()
