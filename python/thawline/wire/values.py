"""Numbers and texts as they may stand in a message: bounded, so that both languages read them alike."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from thawline.wire.prescan import MAX_SAFE_INTEGER

Count = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
Positive = Annotated[int, Meta(ge=1, le=MAX_SAFE_INTEGER)]
Update = Positive
NonNegative = Annotated[float, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
SessionId = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
ShortText = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=16_384)]
Key = Annotated[str, Meta(max_length=64)]
RECORDED_NAME_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_./-]{0,63}\Z"
RecordedName = Annotated[str, Meta(pattern=RECORDED_NAME_PATTERN, max_length=64)]
LearningRates = Annotated[list[NonNegative], Meta(max_length=1024)]


class NonFinite(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that JSON does not know."""

    non_finite: Literal["nan", "inf", "-inf"]


MetricValue: TypeAlias = float | NonFinite


class RecordedValue(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that a script recorded, by the name that it gave it."""

    name: RecordedName
    value: MetricValue
    standard_error: MetricValue | None = None


class Loss(Struct, frozen=True, forbid_unknown_fields=True):
    """A mean over examples, and its standard error; None where there is only one."""

    value: MetricValue
    standard_error: MetricValue | None


# What a script recorded since the boundary before, the last value of each name.
MOST_RECORDED: Final = 64
RecordedValues = Annotated[list[RecordedValue], Meta(max_length=MOST_RECORDED)]


def to_metric_value(value: float) -> MetricValue:
    """A float as it goes over the wire; NaN and the infinities get a spelling of their own."""
    if math.isfinite(value):
        return float(value)
    return NonFinite("nan" if math.isnan(value) else "inf" if value > 0 else "-inf")
