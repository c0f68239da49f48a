"""What a script keeps of its run in a checkpoint of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from thawline.errors import UserError
from thawline.lockstep.recorded import PendingValue
from thawline.wire.decided import Decided
from thawline.wire.protocol import History, Point, Resumed
from thawline.wire.warming_up import WarmingUp

# Leaves room in a frame of 64 KiB for names of any length.
_POINTS_IN_A_MESSAGE: Final = 128


class ScriptState(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`run.state_dict()`, typed. Mask, factor and warm-ups are those of update `step`; `run` is None outside a run.

    `probe` holds the vectors behind the errors of the next changes, as safetensors in base64: a text survives JSON and
    `torch.load(weights_only=True)`, and gives back the same bits. `recorded` waits for a boundary still to come.
    """

    format: Literal[1] = 1
    run: str | None = None
    step: int = 0
    trainable: list[str] = []
    learning_rate_factor: float = 1.0
    decided: Decided | None = None
    warming_up: list[WarmingUp] = []
    series: dict[str, list[Point]] = {}
    probe: str = ""
    recorded: list[PendingValue] = []

    @property
    def resumed(self) -> Resumed | UnsetType:
        """What `ready` tells the controller of this state; nothing where it comes from no run."""
        if self.run is None or self.decided is None:
            return UNSET
        return Resumed(self.run, self.trainable, self.learning_rate_factor, self.decided, self.warming_up or UNSET)

    def history(self) -> Iterator[History]:
        """The series as messages `history`, each short enough for a frame."""
        for key, points in self.series.items():
            for start in range(0, len(points), _POINTS_IN_A_MESSAGE):
                yield History(key, points[start : start + _POINTS_IN_A_MESSAGE])


def parse_state(state: Any) -> ScriptState:
    """The typed form of what `run.state_dict()` gave, in a script's own checkpoint.

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
