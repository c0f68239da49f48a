"""What a script keeps of its run in a checkpoint of its own, and the ear that collects it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from thawline.errors import UserError
from thawline.protocol import Boundary, ControllerBody, Decided, Grant, History, Point, Resumed, WorkerBody

if TYPE_CHECKING:
    from torch import Tensor

    from thawline.channel import Channel

# Leaves room in a frame of 64 KiB for names of any length.
_POINTS_IN_A_MESSAGE: Final = 128


class ScriptState(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`run.state_dict()`, typed. Mask and factor are those of update `step`; `run` is None outside a run.

    `probe` holds the vectors behind the errors of the next changes, as safetensors in base64: a text survives JSON and
    `torch.load(weights_only=True)`, and gives back the same bits.
    """

    format: Literal[1] = 1
    run: str | None = None
    step: int = 0
    trainable: list[str] = []
    learning_rate_factor: float = 1.0
    decided: Decided | None = None
    series: dict[str, list[Point]] = {}
    probe: str = ""

    @property
    def resumed(self) -> Resumed | UnsetType:
        """What the controller is told of it."""
        if self.run is None or self.decided is None:
            return UNSET
        return Resumed(self.run, self.trainable, self.learning_rate_factor, self.decided)

    def history(self) -> Iterator[History]:
        """The series in messages that respect the limits."""
        for key, points in self.series.items():
            for start in range(0, len(points), _POINTS_IN_A_MESSAGE):
                yield History(key, points[start : start + _POINTS_IN_A_MESSAGE])


def parse_state(state: Any) -> ScriptState:
    """The inverse of `msgspec.to_builtins`.

    Raises UserError `invalid_argument` for what `run.state_dict()` never gave.
    """
    try:
        return msgspec.convert(state, ScriptState)
    except msgspec.ValidationError as error:
        raise UserError(
            "invalid_argument",
            f"run.load_state_dict: `state` is not what `run.state_dict()` gives: {error}",
            "give it the part of the checkpoint in which the script had put `run.state_dict()`",
        ) from None


def tensors_to_text(tensors: dict[str, Tensor]) -> str:
    """Safetensors in base64."""
    from safetensors.torch import save

    return base64.b64encode(save({name: tensor.contiguous() for name, tensor in tensors.items()})).decode()


def text_to_tensors(text: str) -> dict[str, Tensor]:
    """The inverse; no tensors for an empty text.

    Raises UserError `invalid_argument`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if text == "":
        return {}
    try:
        return load(base64.b64decode(text, validate=True))
    except (ValueError, SafetensorError) as error:
        raise UserError(
            "invalid_argument",
            f"run.load_state_dict: `state['probe']` is damaged: {error}",
            "give it `run.state_dict()` as it was when the checkpoint was written, or an older checkpoint's",
        ) from None


class ListeningChannel:
    """A channel that keeps in mind what was measured and granted, so that a script can put it into its checkpoint."""

    def __init__(self, channel: Channel, run: str) -> None:
        self.recalled = channel.recalled
        self._channel = channel
        self._run = run
        self._series: dict[str, dict[int, Point]] = {}
        self._latest: Grant | None = None
        self._held = ScriptState()

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        self._channel.send(body, droppable=droppable)
        if isinstance(body, Boundary):
            for metric in body.metrics:
                fields = {name: getattr(metric, name) for name in metric.__struct_fields__ if name != "key"}
                self._series.setdefault(metric.key, {})[body.update] = Point(update=body.update, **fields)

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
        """Goes on from what an earlier attempt had collected."""
        self._held = state
        self._series = {key: {point.update: point for point in points} for key, points in state.series.items()}

    def count_update(self) -> None:
        """An update was made under the latest grant: a checkpoint belongs to its mask, not to that of the next one."""
        grant = self._latest
        assert grant is not None
        self._held = msgspec.structs.replace(
            self._held,
            trainable=grant.trainable,
            learning_rate_factor=grant.learning_rate_factor,
            decided=None if isinstance(grant.decided, UnsetType) else grant.decided,
        )

    def state(self, step: int, probe: str) -> ScriptState:
        """As after `step` updates."""
        series = {key: [points[update] for update in sorted(points)] for key, points in self._series.items()}
        return msgspec.structs.replace(self._held, run=self._run, step=step, series=series, probe=probe)
