"""What was measured, in the form in which a boundary reports it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from thawline.storage.weights import hash_or_reason
from thawline.wire.block_values import BlockValues
from thawline.wire.codec import cut_text
from thawline.wire.protocol import Finished, Metric, SpentSeconds
from thawline.wire.values import MetricValue, RecordedValues, to_metric_value

if TYPE_CHECKING:
    from torch import nn

    from thawline.lockstep.start_weights import StartWeights
    from thawline.probes import Measurement
    from thawline.probes.measurement import BlockValues as Measured


def to_metrics(measured: Iterable[Measurement], blocks: Sequence[str] = ()) -> list[Metric]:
    """Measurements as they go over the wire; `blocks` are the names of head and blocks, in the order of `ready`."""
    return [
        Metric(
            key=measurement.key,
            value=to_metric_value(measurement.value),
            standard_error=_optional(measurement.standard_error),
            change_standard_error=_optional(measurement.change_standard_error),
            span_standard_error=_optional(measurement.span_standard_error),
            seconds=measurement.seconds,
            blocks=UNSET if measurement.blocks is None else _to_blocks(measurement.blocks, blocks),
        )
        for measurement in measured
    ]


def _to_blocks(found: Measured, blocks: Sequence[str]) -> BlockValues:
    errors = [_optional(found.standard_errors.get(block)) for block in blocks]
    return BlockValues(
        [_optional(found.values.get(block)) for block in blocks],
        found.seconds,
        UNSET if all(error is None for error in errors) else errors,
    )


def to_moved(start: StartWeights | None) -> list[MetricValue | None] | UnsetType:
    """How far head and blocks have moved, in the order of `ready`; unset where nobody knows where they began."""
    return UNSET if start is None else [_optional(distance) for distance in start.moved()]


def to_finished(
    model: nn.Module, step: int, seconds: SpentSeconds, early: bool, recorded: RecordedValues | UnsetType
) -> Finished:
    """The last word of a training that ended by itself; why its weights have no digest, where they have none."""
    digest, reason = hash_or_reason(model)
    unhashed = UNSET if reason is None else cut_text(reason)
    return Finished(step, digest, seconds, True if early else UNSET, unhashed, recorded)


def _optional(value: float | None) -> MetricValue | None:
    return None if value is None else to_metric_value(value)
