"""The worker's side of lockstep: trains only as far as it was granted, measures, obeys, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thawline.errors import UserError
from thawline.freezing import Mask, apply_trainable, assert_trainable, count_trainable, trainable_sha256
from thawline.learning_rates import LearningRates
from thawline.loss_reader import LossReader, Pace
from thawline.orders import Orders, Phase
from thawline.protocol import (
    Applied,
    Boundary,
    Finished,
    Grant,
    Metric,
    MetricValue,
    Progress,
    Recall,
    Stop,
    Stopped,
    to_metric_value,
)
from thawline.stopwatch import Stopwatch
from thawline.told_warnings import ToldWarnings
from thawline.training import Abilities, Facts, Interrupted, ShouldStop, describe_training
from thawline.weights import weights_sha256

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import nn

    from thawline.batch_norm import BatchNormPolicy
    from thawline.blocks import BlockMap
    from thawline.channel import Channel
    from thawline.probes import Measurement, Prober


class TrainingStopped(Exception):
    """The controller ended the run; `reason` is its word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no further update may be made: {reason}")
        self.reason = reason


class Session:
    """One attempt under a controller. Call `before_update` and `after_update` round every optimizer update.

    `step` counts completed updates. The optimizer is never rebuilt and its groups never change.
    """

    def __init__(
        self,
        channel: Channel,
        model: nn.Module,
        block_map: BlockMap,
        rates: LearningRates,
        *,
        facts: Facts,
        run_folder: Path,
        prober: Prober | None = None,
        abilities: Abilities | None = None,
        batch_norm: BatchNormPolicy | None = None,
        step: int = 0,
    ) -> None:
        self.step = step
        self._channel = channel
        self._model = model
        self._block_map = block_map
        self._rates = rates
        self._facts = facts
        self._prober = prober
        self._abilities = abilities or Abilities()
        self._batch_norm = batch_norm
        self._stopwatch = Stopwatch()
        self._warnings = ToldWarnings(channel)
        self._losses = LossReader()
        self._pace = Pace()
        self._orders = Orders(channel, self._abilities, run_folder, self._stopwatch, self._poll)
        self._grant: Grant | None = None
        self._mask: Mask | None = None

    def begin(self) -> None:
        """Says `ready` and carries out the first grant, which fixes the mask."""
        rates = self._rates.at(self.step + 1, 1.0)
        self._channel.send(describe_training(self._block_map, self._facts, self._abilities, rates, self.step))
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
        self._rates.apply(update, self._grant.learning_rate_factor)

    def after_update(self, loss: torch.Tensor | None, num_samples: int = 0) -> None:
        """Counts the update that was just made.

        `loss` is its training loss, a scalar tensor; None where its step was skipped.

        Raises NonFiniteLossError.
        """
        self.step += 1
        assert self._grant is not None, "after_update without before_update"
        rate = self._rates.at(self.step, self._grant.learning_rate_factor)[0]
        latest = None if loss is None else self._losses.offer(loss, self.step, rate)
        self._pace.count(num_samples)
        if self._pace.is_due():
            shown = None if latest is None else to_metric_value(latest)
            samples_per_second = self._pace.samples_per_second(self._stopwatch.total().train)
            self._channel.send(Progress(self.step, shown, samples_per_second, "train", ""), droppable=True)

    def restore_mask(self) -> None:
        """Parameters train as granted, whatever the training's own code has done to their flags."""
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

    def finish(self) -> None:
        """After the last update: stands at the end until the controller has what it wants, and closes.

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

    def close(self, stopped: TrainingStopped) -> None:
        """The last message of an attempt that ended as it should."""
        seconds = self._stopwatch.total()
        if stopped.reason == "finished":
            self._channel.send(Finished(self.step, weights_sha256(self._model), seconds))
        else:
            self._channel.send(Stopped(self.step, seconds))

    def _may_train(self, update: int) -> bool:
        grant = self._grant
        if grant is None or self._channel.recalled.is_set():
            return False
        return grant.until is None or update < grant.until

    def _stand_at(self, update: int) -> None:
        """At a boundary: measure what the grant asked for, report, wait for the next grant and obey it."""
        self._losses.settle()
        grant = self._grant
        recalled = grant is not None and (grant.until is None or update < grant.until)
        metrics: list[Metric] = []
        if grant is not None and not recalled:
            try:
                metrics = self._measure(update, grant.probe)
            except Interrupted:
                recalled = True
        self._channel.send(Boundary(update, recalled, metrics, self._stopwatch.since_last_report()))
        self._obey()

    def _measure(self, update: int, names: list[str]) -> list[Metric]:
        if not names or self._prober is None:
            return []
        from thawline.probes import ProbeInterrupted

        try:
            with self._stopwatch.measure("probe"), self._warnings.listening():
                measured = self._prober.measure(update, names, should_stop=self._poll("probe", ", ".join(names)))
        except ProbeInterrupted:
            raise Interrupted from None
        return [_metric(measurement) for measurement in measured]

    def _obey(self) -> None:
        """Waits for a grant and carries it out: orders first, in the state before the change, then the change."""
        grant = self._next_grant()
        while not self._carry_out(grant):
            # Recalled in the middle: nothing of this grant holds, the controller grants anew.
            self._channel.send(Boundary(self.step + 1, True, [], self._stopwatch.since_last_report()))
            grant = self._next_grant()
        before, self._grant = self._grant, grant
        changed = before is None or _held(before) != _held(grant)
        if changed:
            self._mask = apply_trainable(self._model, self._block_map, grant.trainable)
        if before is None or before.trainable != grant.trainable:
            self._change_with_mask(first=before is None)
        if changed or grant.orders:
            self._channel.send(self._applied(grant))

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
                self._orders.save(self.step)
            raise TrainingStopped(body.reason)
        assert isinstance(body, Grant), f"expected a grant, got {type(body).__name__}"
        return body

    def _applied(self, grant: Grant) -> Applied:
        assert_trainable(self._model, self._block_map, grant.trainable)
        return Applied(
            update=self.step + 1,
            trainable_sha256=trainable_sha256(self._model),
            num_trainable=count_trainable(self._model),
            learning_rates=self._rates.at(self.step + 1, grant.learning_rate_factor),
        )

    def _carry_out(self, grant: Grant) -> bool:
        """False when a recall came first."""
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


def _held(grant: Grant) -> tuple[list[str], float]:
    return grant.trainable, grant.learning_rate_factor


def _metric(measurement: Measurement) -> Metric:
    return Metric(
        key=measurement.key,
        value=to_metric_value(measurement.value),
        standard_error=_optional(measurement.standard_error),
        change_standard_error=_optional(measurement.change_standard_error),
        span_standard_error=_optional(measurement.span_standard_error),
        seconds=measurement.seconds,
    )


def _optional(value: float | None) -> MetricValue | None:
    return None if value is None else to_metric_value(value)
