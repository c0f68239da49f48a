"""`thawline.attach` for trainers that own the loop: one call of theirs opens its `with` block, another leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from thawline.attached import AttachedRun, Probe, attach
from thawline.bootstrap import BOOTSTRAP_VARIABLE
from thawline.controlled_run import ControlledRun
from thawline.errors import UserError
from thawline.probes.objective import Batch
from thawline.session import TrainingStopped


class Attachment:
    """One training by somebody else's trainer, from its first call to its last.

    The boundary before an update is passed as soon as the update before it is counted, ahead of whatever the trainer
    does in between, and not when the next batch arrives: by then neither trainer can end without that update.
    """

    def __init__(
        self, *, blocks: Sequence[tuple[str, str]], head: str | None, probe: Probe | None, may_end_early: bool
    ) -> None:
        self._blocks = blocks
        self._head = head
        self._probe = probe
        self._may_end_early = may_end_early
        self._context = ExitStack()
        self._run: AttachedRun | None = None
        self._num_updates: int | None = None
        self._stop: TrainingStopped | None = None

    @property
    def is_controlled(self) -> bool:
        return isinstance(self._run, ControlledRun)

    @property
    def step(self) -> int:
        """Number of updates completed."""
        return 0 if self._run is None else self._run.step

    @property
    def stop_reason(self) -> str | None:
        """Why no further update may be made: `finished` after the last one, or why the controller ended the run."""
        return None if self._stop is None else self._stop.reason

    def open(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        num_updates: int | None,
        step: int,
        state: Mapping[str, Any] | None,
        num_devices: int,
        ends_early: bool,
    ) -> None:
        """Attaches a training that stands after `step` updates and passes the boundary before the next one.

        `state` is what `state_dict` gave after these, `ends_early` whether the trainer knows of something that may end
        the training before `num_updates`. Raises UserError.
        """
        self._check_alone(num_devices)
        self._num_updates = None if self._may_end_early or ends_early else num_updates
        run = self._context.enter_context(
            attach(
                model,
                optimizer,
                blocks=self._blocks,
                head=self._head,
                probe=_move_probe(self._probe, model),
                num_updates=self._num_updates,
                resumed_from=step,
            )
        )
        with self._reporting():
            if state is not None:
                run.load_state_dict(dict(state))
            self._run = run
            self._pass_boundary()

    def count_update(self, loss: Tensor | None, num_samples: int = 0) -> None:
        """Counts an update with its training loss, a scalar where it is known; then the boundary before the next one.

        Raises NonFiniteLossError.
        """
        assert self._run is not None, "an update outside a training"
        with self._reporting():
            self._run.after_update(loss, num_samples)
            self._pass_boundary()

    def begin_batch(self) -> None:
        """To be called before a batch: raises TrainingStopped where the trainer goes on though the run has ended.

        Evaluation and other callbacks ran since the boundary: the mask holds again, whatever they did to it.
        """
        if self._stop is not None:
            self._context.close()
            raise self._stop
        if isinstance(self._run, ControlledRun):
            self._run.restore_mask()

    def state_dict(self) -> dict[str, Any] | None:
        """What the trainer's checkpoint has to keep, plain values; None before the training."""
        return None if self._run is None else self._run.state_dict()

    def finish(self) -> None:
        """The trainer has ended the training as it should.

        Raises UserError where it made fewer updates than announced.
        """
        with self._context:
            if self.is_controlled and self._stop is None and self.step < (self._num_updates or 0):
                raise UserError(
                    "ended_early",
                    f"ControllerCallback: the training was to make {self._num_updates} updates, but it ended after "
                    f"{self.step}",
                    "give the callback `may_end_early=True`, so that no end is announced",
                )

    def abandon(self, error: BaseException) -> None:
        """An exception ended the training; without effect after `finish`."""
        error = self._stop or error
        self._context.__exit__(type(error), error, error.__traceback__)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """An exception of ours ends the run here: what the trainer, or the script, makes of it is not known."""
        try:
            yield
        except BaseException as error:
            self.abandon(error)
            raise

    def _pass_boundary(self) -> None:
        assert self._run is not None
        try:
            self._run.before_update()
        except TrainingStopped as stop:
            self._stop = stop

    def _check_alone(self, num_devices: int) -> None:
        if self.is_controlled:
            raise UserError(
                "second_training",
                "ControllerCallback: a second training began in this process, but a run is one training",
                "start each training by an `npx thawline attach` of its own, and switch searches for a batch size off",
            )
        if num_devices > 1 and os.environ.get(BOOTSTRAP_VARIABLE):
            raise UserError(
                "several_devices",
                f"ControllerCallback: the training uses {num_devices} devices, but a controlled one runs on one",
                "start one process, and let it see one device (CUDA_VISIBLE_DEVICES=0)",
            )


def _move_probe(probe: Probe | None, model: nn.Module) -> Probe | None:
    """To the device of the model, which trainers choose after the probe was made."""
    if not isinstance(probe, Probe):
        return probe
    device = next(model.parameters()).device
    return Probe([move_batch(batch, device) for batch in probe.batches], probe.objective)


def move_batch(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on `device`; mappings come back as plain dicts."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: move_batch(value, device) for key, value in batch.items()}
    assert isinstance(batch, tuple | list), f"a batch is made of tensors, got {type(batch).__name__}"
    return type(batch)(move_batch(value, device) for value in batch)
