"""`thawline.attach` for trainers that own the loop: one call of theirs opens its `with` block, another leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from thawline.attached.attach import AttachedRun, Probe, attach
from thawline.attached.controlled_run import ControlledRun
from thawline.errors import UserError
from thawline.lockstep.session import TrainingStopped
from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE


@dataclass(frozen=True)
class TrainerLoop:
    """The loop that a trainer is about to run, or to go on with after `step` updates.

    `state` is what `Attachment.state_dict` gave after these, None where there is no checkpoint. `ends_early`: the
    trainer knows of something that may end the training before `num_updates`, which is None where there is no end.
    """

    num_updates: int | None
    step: int = 0
    state: Mapping[str, Any] | None = None
    num_devices: int = 1
    ends_early: bool = False


class AttachingCallback:
    """What callbacks of all trainers are made with; each trainer's own base class comes after this one.

    `blocks`, `head` and `probe` are those of `thawline.attach`. `may_end_early` is True where something that the
    trainer does not know of may end the training before its last update: then no end is announced.
    """

    def __init__(
        self,
        *,
        blocks: Sequence[tuple[str, str]],
        head: str | None = None,
        probe: Probe | None = None,
        may_end_early: bool = False,
    ) -> None:
        super().__init__()
        self._attachment = Attachment(blocks=blocks, head=head, probe=probe, may_end_early=may_end_early)


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
        self._stop: TrainingStopped | None = None
        self._is_open = False

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
        loop: TrainerLoop,
    ) -> None:
        """Attaches a training and passes the boundary before its next update. Raises UserError."""
        self._check_alone(loop.num_devices)
        run = self._context.enter_context(
            attach(
                model,
                optimizer,
                blocks=self._blocks,
                head=self._head,
                probe=self._probe_on(next(model.parameters()).device),
                num_updates=None if self._may_end_early or loop.ends_early else loop.num_updates,
                resumed_from=loop.step,
            )
        )
        with self._reporting():
            if loop.state is not None:
                run.load_state_dict(dict(loop.state))
            self._run, self._is_open = run, True
            self._pass_boundary()

    def _probe_on(self, device: torch.device) -> Probe | None:
        """Trainers choose the model's device after the probe was made. What is no probe, `attach` refuses."""
        return self._probe.on(device) if isinstance(self._probe, Probe) else self._probe

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

    def record(self, values: Mapping[str, Any]) -> None:
        """Records what the trainer has evaluated, all of it: which of it decides k, the controller knows.

        A trainer's names are its own: those that cannot be recorded are named in one warning, and left out.
        """
        if not isinstance(self._run, ControlledRun) or not self._is_open:
            return
        refused: list[str] = []
        for name, value in values.items():
            try:
                self._run.record(name, value)
            except UserError:
                refused.append(name)
        if refused:
            self._run.warn(
                f"not recorded of what was evaluated: {', '.join(sorted(refused))}; a run takes 64 names, each a "
                "letter and up to 63 letters, digits, `_`, `.`, `-` and `/`, none a metric's of thawline's own"
            )

    def state_dict(self) -> dict[str, Any] | None:
        """What the trainer's checkpoint has to keep, plain values; None before the training."""
        return None if self._run is None else self._run.state_dict()

    def finish(self) -> None:
        """The trainer has ended the training as it should, after fewer updates than announced, it may be."""
        self._is_open = False
        with self._context:
            if self._run is not None and self._stop is None:
                self._run.finish()

    def abandon(self, error: BaseException) -> None:
        """An exception ended the training; without effect after `finish`."""
        self._is_open = False
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
