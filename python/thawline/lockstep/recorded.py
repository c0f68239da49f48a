"""Numbers that a script records, from its word to the boundary with which they go to the controller."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from thawline.errors import UserError
from thawline.probes.measures import METRICS
from thawline.wire.values import MOST_RECORDED, RECORDED_NAME_PATTERN, RecordedValue, to_metric_value

_CALL: Final = "run.record"


class PendingValue(Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded number that waits for its boundary, `due`: the next one that the loop will reach."""

    recorded: RecordedValue
    due: int


def check_recorded(name: object, value: object, standard_error: object) -> RecordedValue:
    """What `run.record` was given, in the form in which it is sent; NaN and the infinities are values like others.

    Raises UserError for a name that a configuration could not write, and for what is no number.
    """
    if not isinstance(name, str) or re.search(RECORDED_NAME_PATTERN, name) is None:
        raise UserError(
            "invalid_argument",
            f"{_CALL}: `name` must be a letter and up to 63 letters, digits, `_`, `.`, `-` and `/`, got {_shown(name)}",
            'call it like run.record("validation_loss", loss)',
        )
    if name in METRICS:
        raise UserError(
            "invalid_argument",
            f"{_CALL}: `name` must not be {name!r}, which thawline measures itself",
            f'give it a name of its own, such as "my_{name}"',
        )
    number = _to_float("value", value)
    error = None if standard_error is None else _to_float("standard_error", standard_error)
    if error is not None and error < 0:
        raise _wrong("standard_error", "a number, 0 or more, or None", standard_error)
    return RecordedValue(name, to_metric_value(number), None if error is None else to_metric_value(error))


class RecordedNumbers:
    """What was recorded and not sent yet, the last value of each name for each boundary."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, int], PendingValue] = {}
        # With the latest boundary: a checkpoint of the step before it has to keep them as well.
        self._sent: list[PendingValue] = []
        self._sent_at = 0
        self._names: set[str] = set()

    def add(self, value: RecordedValue, due: int) -> bool:
        """Keeps `value` for the boundary before update `due`. False where one of its name for that one gave way.

        Raises UserError for a name too many.
        """
        self._names.add(value.name)
        if len(self._names) > MOST_RECORDED:
            raise UserError(
                "invalid_argument",
                f"{_CALL}: {value.name!r} is the name of series {MOST_RECORDED + 1}, more than a run can keep",
                f"record under at most {MOST_RECORDED} names",
            )
        is_first = (value.name, due) not in self._pending
        self._pending[value.name, due] = PendingValue(value, due)
        return is_first

    def is_due(self, update: int) -> bool:
        """Whether anything goes with the boundary before `update`."""
        return any(pending.due <= update for pending in self._pending.values())

    def take(self, update: int) -> list[RecordedValue] | UnsetType:
        """What goes with the boundary before `update`, and is sent with it; unset where that is nothing."""
        due = sorted((value for value in self._pending.values() if value.due <= update), key=lambda value: value.due)
        if not due:
            return UNSET
        self._sent = [*(self._sent if self._sent_at == update else []), *due]
        self._sent_at = update
        for value in due:
            del self._pending[value.recorded.name, value.due]
        return list({value.recorded.name: value.recorded for value in due}.values())

    def pending_after(self, step: int) -> list[PendingValue]:
        """What a checkpoint after `step` updates has to keep: who goes on from it does not record these again."""
        return [*(self._sent if self._sent_at > step else []), *self._pending.values()]

    def restore(self, pending: Iterable[PendingValue]) -> None:
        """Takes over what `pending_after` gave."""
        self._pending = {(value.recorded.name, value.due): value for value in pending}
        self._names |= {name for name, _ in self._pending}


def _to_float(argument: str, value: object) -> float:
    """Of Python's numbers, NumPy's, and tensors of one element."""
    if not isinstance(value, bool | str | bytes):
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            return math.inf if value > 0 else -math.inf  # type: ignore[operator]
        except (TypeError, ValueError, RuntimeError):
            pass
    raise _wrong(argument, "a number, or a tensor of one", value)


def _wrong(argument: str, expected: str, got: object) -> UserError:
    text = f"{_CALL}: `{argument}` must be {expected}, got {_shown(got)}"
    return UserError("invalid_argument", text, 'call it like run.record("validation_loss", loss, standard_error=0.01)')


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."
