"""What was measured and granted, kept by the way: a script puts it into its own checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from thawline.attached.script_state import ScriptState
from thawline.lockstep.granted_rates import warming_up_in
from thawline.lockstep.recorded import PendingValue
from thawline.wire.protocol import Boundary, ControllerBody, Grant, Point, WorkerBody

if TYPE_CHECKING:
    from thawline.wire.channel import Channel


class ListeningChannel:
    """A channel to the controller of `run` that keeps in mind what was measured and granted."""

    def __init__(self, channel: Channel, run: str) -> None:
        self.recalled = channel.recalled
        self.run = run
        self._channel = channel
        self._series: dict[str, dict[int, Point]] = {}
        self._latest: Grant | None = None
        self._held = ScriptState()

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        self._channel.send(body, droppable=droppable)
        if isinstance(body, Boundary):
            for metric in body.metrics:
                fields = {name: getattr(metric, name) for name in Point.__struct_fields__ if name != "update"}
                self._keep(metric.key, Point(update=body.update, **fields))
            for name, value, error in map(msgspec.structs.astuple, body.recorded or ()):
                self._keep(f"recorded/{name}", Point(update=body.update, value=value, standard_error=error, seconds=0))

    def _keep(self, key: str, point: Point) -> None:
        self._series.setdefault(key, {})[point.update] = point

    def receive(self, timeout: float | None = None) -> ControllerBody:
        body = self._channel.receive(timeout)
        if isinstance(body, Grant):
            self._latest = body
        return body

    def close(self, linger: float = 2.0) -> None:
        self._channel.close(linger)

    @property
    def k(self) -> int | None:
        """The unfreezing interval, or the update of the switch, once it is decided."""
        decided = UNSET if self._latest is None else self._latest.decided
        return None if isinstance(decided, UnsetType) or decided.interval is None else decided.interval.k

    def restore(self, state: ScriptState) -> None:
        """Takes over the series and the decisions that `state` holds, as a script's checkpoint gave them."""
        self._held = state
        self._series = {key: {point.update: point for point in points} for key, points in state.series.items()}

    def count_update(self, update: int) -> None:
        """Notes that `update` was made: a checkpoint after it has the mask of the grant that it was made under."""
        grant = self._latest
        assert grant is not None
        self._held = msgspec.structs.replace(
            self._held,
            trainable=grant.trainable,
            learning_rate_factor=grant.learning_rate_factor,
            decided=None if isinstance(grant.decided, UnsetType) else grant.decided,
            warming_up=list(warming_up_in(update, grant)),
        )

    def state(self, step: int, probe: str, recorded: Iterable[PendingValue] = ()) -> ScriptState:
        """What a script has to keep after `step` updates.

        `probe` are the vectors of its prober, as text, `recorded` what it has recorded and not sent yet.
        """
        series = {key: [points[update] for update in sorted(points)] for key, points in self._series.items()}
        changed = {"run": self.run, "step": step, "series": series, "probe": probe, "recorded": list(recorded)}
        return msgspec.structs.replace(self._held, **changed)
