"""The worker's side of lockstep: trains only as far as it was granted, measures, obeys, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from thawline.errors import UserError
from thawline.failpoint import failpoint
from thawline.interruption import Interrupted, ShouldStop
from thawline.lockstep.abilities import Abilities, Facts, SteeredModel, describe_training
from thawline.lockstep.granted_change import changes_mask_or_rate, changes_next_update
from thawline.lockstep.granted_rates import GrantedRates
from thawline.lockstep.loss_reader import LossReader
from thawline.lockstep.orders import Orders, Phase
from thawline.lockstep.pace import Pace
from thawline.lockstep.recorded import RecordedNumbers
from thawline.lockstep.reported import to_finished, to_metrics, to_moved
from thawline.lockstep.room_wait import RoomWait, Written
from thawline.lockstep.stopwatch import Stopwatch
from thawline.lockstep.warning_log import WarningLog
from thawline.steering.freezing import Mask, apply_trainable, assert_trainable, count_trainable, trainable_sha256
from thawline.steering.release_watch import ReleaseWatch
from thawline.wire.protocol import Applied, Boundary, Grant, Metric, Progress, Recall, Stop, Stopped
from thawline.wire.values import to_metric_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from thawline.probes import Prober
    from thawline.wire.channel import Channel


class TrainingStopped(Exception):
    """The controller ended the run; `reason` is its word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no further update may be made: {reason}")
        self.reason = reason


class Session:
    """One attempt under a controller. Call `before_update` and `after_update` round every optimizer update.

    `step` counts completed updates. The optimizer is never rebuilt and its groups never change. `run_folder` is what
    paths in messages are relative to; without `prober` no metric is measured. `recorded` makes boundaries of its own.
    """

    def __init__(
        self,
        channel: Channel,
        steered: SteeredModel,
        facts: Facts,
        *,
        run_folder: Path,
        prober: Prober | None = None,
        abilities: Abilities | None = None,
        recorded: RecordedNumbers | None = None,
    ) -> None:
        self.step = facts.resumed_from
        self._channel = channel
        self._model = steered.model
        self._block_map = steered.block_map
        self._rates = GrantedRates(steered)
        self._batch_norm = steered.batch_norm
        self._start = steered.start
        self._facts = facts
        self._prober = prober
        self._abilities = abilities or Abilities()
        self._recorded = recorded or RecordedNumbers()
        self._stopwatch = Stopwatch()
        self._warnings = WarningLog(channel)
        self._losses = LossReader()
        self._pace = Pace()
        self._room = RoomWait(channel)
        self._orders = Orders(channel, self._abilities, run_folder, self._stopwatch, self._poll, self._room)
        self._grant: Grant | None = None
        # The update before which the present grant has changed what trains.
        self._changed_in: int | None = None
        self._mask: Mask | None = None
        self._releases = ReleaseWatch(steered.model, steered.block_map, steered.rates.optimizer, steered.unreached)

    def begin(self) -> None:
        """Says `ready`, waits for the first grant and carries it out, which fixes the mask.

        Raises TrainingStopped where the controller ends the run instead, and what an order raises.
        """
        rates = self._rates.at(self.step + 1, None)
        failpoint("training.restored")
        self._channel.send(describe_training(self._block_map, self._facts, self._abilities, rates))
        self._obey()

    def before_update(self) -> None:
        """Returns when the next update may be made, with mask and learning rates set.

        Raises TrainingStopped when the controller ends the run.
        """
        # Before the boundary: signals are measured on what trains.
        self.restore_mask()
        update = self.step + 1
        while not self._may_train(update):
            self._stand_at(update)
        assert self._grant is not None
        self._rates.apply(update, self._grant)

    def after_update(self, loss: torch.Tensor | None, num_samples: int = 0) -> None:
        """Counts the update that was just made.

        `loss` is its training loss, a scalar tensor; None where its step was skipped.

        Raises NonFiniteLossError, and UserError for a block that was released and does not train.
        """
        self.step += 1
        failpoint("update.made")
        if self._releases.is_watching:
            with self._warnings.listening():
                self._releases.judge(self.step)
        assert self._grant is not None, "after_update without before_update"
        rate = max(self._rates.at(self.step, self._grant))
        latest = None if loss is None else self._losses.offer(loss, self.step, rate)
        self._pace.count(num_samples)
        if self._pace.is_due():
            shown = None if latest is None else to_metric_value(latest)
            samples_per_second = self._pace.samples_per_second(self._stopwatch.total().train)
            self._channel.send(Progress(self.step, shown, samples_per_second, "train", ""), droppable=True)

    def restore_mask(self) -> None:
        """Sets `requires_grad` of every parameter as granted, whatever the training's own code has done to it."""
        if self._mask is not None:
            self._mask.restore()

    def hold_mask_in_step(self) -> None:
        """To be called as `optimizer.step()` begins: no frozen parameter moves in it.

        Raises UserError for one that should move, but was frozen since `before_update`.
        """
        frozen = None if self._mask is None else self._mask.find_frozen()
        if frozen is not None:
            raise UserError(
                "frozen_by_script",
                f"update {self.step + 1}: {frozen} has no gradient, because it was frozen after `run.before_update`",
                "leave `requires_grad` of the blocks and the head to the controller, and the adapter with them active",
            )
        self.restore_mask()
        self._releases.look()

    def finish_early(self) -> None:
        """After an update before the last one: the training has ended by itself, and nothing of it is to be done."""
        self._losses.settle()
        self.close(TrainingStopped("finished"), early=True)

    def finish(self) -> None:
        """After the last update: stays at the last boundary until the controller ends the run, then sends `closed`.

        Where nobody knew the number of updates, no boundary is the last one, and only the worker can say that it was.
        """
        self._losses.settle()
        if self._facts.num_updates is None:
            self.close(TrainingStopped("finished"))
            return
        try:
            while True:
                self._stand_at(self.step + 1)
        except TrainingStopped as stopped:
            self.close(stopped)

    def close(self, stopped: TrainingStopped, *, early: bool = False) -> None:
        """Sends `closed`, the last message of an attempt that ended as it should.

        `early`: the training ended by itself, before the updates that it had announced.
        """
        failpoint("training.ended")
        self.detach()
        seconds = self._stopwatch.total()
        if stopped.reason == "finished":
            # Whatever boundary it was due at: none comes any more.
            recorded = self._recorded.take(self.step + 2)
            self._channel.send(to_finished(self._model, self.step, seconds, early, recorded))
        else:
            self._channel.send(Stopped(self.step, seconds))

    def detach(self) -> None:
        """Leaves the optimizer as it was found, however the training ended."""
        self._releases.stop()

    def once_there_is_room(self, write: Callable[[], Written]) -> Written:
        """What `write` gives; a full disk is waited for. Raises Interrupted where a recall comes first."""
        return self._room.until_written(self.step, write)

    def _may_train(self, update: int) -> bool:
        grant = self._grant
        if self._recorded.is_due(update) or (self._channel.recalled.is_set() and update != self._changed_in):
            return False
        return grant is not None and (grant.until is None or update < grant.until)

    def _stand_at(self, update: int) -> None:
        """At a boundary: measure what the grant asked for, report, wait for the next grant and obey it."""
        self._losses.settle()
        if self._releases.is_watching:
            with self._warnings.listening():
                self._releases.settle(self.step)
        grant = self._grant
        early = grant is not None and (grant.until is None or update < grant.until)
        recalled = early and self._channel.recalled.is_set()
        metrics: list[Metric] = []
        if grant is not None and not early:
            try:
                metrics = self._measure(update, grant.probe)
            except Interrupted:
                recalled = True
        failpoint("boundary.measured")
        self._report(update, recalled, metrics)
        self._obey()

    def _report(self, update: int, recalled: bool, metrics: list[Metric]) -> None:
        with self._stopwatch.measure("probe"):
            moved = to_moved(self._start)
        seconds, recorded = self._stopwatch.since_last_report(), self._recorded.take(update)
        self._channel.send(Boundary(update, recalled, metrics, seconds, moved, recorded))

    def _measure(self, update: int, names: list[str]) -> list[Metric]:
        if not names or self._prober is None:
            return []
        with self._stopwatch.measure("probe"), self._warnings.listening():
            measured = self._prober.measure(update, names, should_stop=self._poll("probe", ", ".join(names)))
        return to_metrics(measured, [block.name for block in (self._block_map.head, *self._block_map.blocks)])

    def _obey(self) -> None:
        """Waits for a grant and carries it out: orders first, in the state before the change, then the change."""
        grant = self._next_grant()
        while self._is_called_back(grant) or not self._carry_out(grant):
            # Recalled in the middle: nothing of this grant holds, the controller grants anew.
            self._report(self.step + 1, True, [])
            grant = self._next_grant()
        before, self._grant = self._grant, grant
        self._changed_in = self.step + 1 if changes_next_update(before, grant, self.step) else None
        if self._prober is not None and grant.probe_every is not UNSET:
            self._prober.regrid(grant.probe_every)
        if changed := changes_mask_or_rate(before, grant):
            self._mask = apply_trainable(self._model, self._block_map, grant.trainable)
        if before is None or before.trainable != grant.trainable:
            self._releases.change(self.step + 1, () if before is None else before.trainable, grant.trainable)
            self._change_with_mask(first=before is None)
        failpoint("grant.obeyed")
        if changed or grant.orders:
            self._channel.send(self._applied(grant))

    def _is_called_back(self, grant: Grant) -> bool:
        """Whether a recall came before a change of what trains, which then waits: one that was made is trained with."""
        return self._channel.recalled.is_set() and changes_next_update(self._grant, grant, self.step)

    def _change_with_mask(self, *, first: bool) -> None:
        if self._batch_norm is not None:
            self._batch_norm.apply(self.step + 1, first=first)
        if self._prober is not None:
            self._prober.forget_kept()

    def _next_grant(self) -> Grant:
        with self._stopwatch.measure("wait"):
            body = self._channel.receive()
            # A recall that crossed a boundary on its way has been served by that boundary.
            while isinstance(body, Recall):
                body = self._channel.receive()
        if isinstance(body, Stop):
            if body.checkpoint:
                self._orders.save_last(self.step)
            raise TrainingStopped(body.reason)
        assert isinstance(body, Grant), f"expected a grant, got {type(body).__name__}"
        return body

    def _applied(self, grant: Grant) -> Applied:
        assert_trainable(self._model, self._block_map, grant.trainable)
        return Applied(
            update=self.step + 1,
            trainable_sha256=trainable_sha256(self._model),
            num_trainable=count_trainable(self._model),
            learning_rates=self._rates.at(self.step + 1, grant),
        )

    def _carry_out(self, grant: Grant) -> bool:
        """Carries out the orders of `grant`; returns False where a recall cut one of them short."""
        try:
            self._orders.carry_out(grant, self.step)
        except Interrupted:
            return False
        return True

    def _poll(self, phase: Phase, detail: str) -> ShouldStop:
        """To be asked between batches: whether to stop. Also says, now and then, that the work goes on."""

        def should_stop(doing: str = "") -> bool:
            if self._pace.is_due():
                self._channel.send(Progress(self.step, None, 0.0, phase, doing or detail), droppable=True)
            return self._channel.recalled.is_set()

        return should_stop
