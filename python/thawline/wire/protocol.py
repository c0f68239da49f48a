"""The messages between controller and worker, as msgspec Structs; the mirror of src/protocol/messages.ts.

Golden vectors (test/vectors) hold the two languages together. docs/protocol.md explains the order of messages;
`codec` turns them into frames and back.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from thawline.wire.block_values import BlockValues
from thawline.wire.decided import Decided
from thawline.wire.values import (
    Count,
    Key,
    LearningRates,
    Loss,
    MetricValue,
    Name,
    NonNegative,
    Positive,
    RecordedValues,
    Sha256,
    ShortText,
    Text,
    Update,
)
from thawline.wire.warming_up import WarmingUps

Order: TypeAlias = Literal["checkpoint", "evaluate", "validate", "keep_best", "restore_best"]
Orders = Annotated[list[Order], Meta(max_length=8)]


class _Body(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything inside a message: unknown fields are refused, instances do not change."""


class ProtocolVersion(_Body, frozen=True):
    major: Count
    minor: Count


PROTOCOL_VERSION: Final = ProtocolVersion(1, 0)
PROTOCOL_TAG: Final = b"THAW1"


class Head(_Body, frozen=True):
    name: Name
    num_params: Count


class Block(Head, frozen=True):
    """`trainable_from_start`: it trains with the head from the first update, and is never unfrozen."""

    trainable_from_start: bool | UnsetType = UNSET


class Metric(_Body, frozen=True, kw_only=True):
    """One measured scalar; `seconds` is what measuring it took."""

    key: Name
    value: MetricValue
    standard_error: MetricValue | None = None
    change_standard_error: MetricValue | None = None
    span_standard_error: MetricValue | None = None
    seconds: NonNegative
    blocks: BlockValues | UnsetType = UNSET


class SpentSeconds(_Body, frozen=True):
    """Where the wall time since the previous boundary (or, in `closed`, of the whole attempt) went."""

    train: NonNegative
    probe: NonNegative
    wait: NonNegative
    evaluate: NonNegative
    checkpoint: NonNegative


class ResumePoint(_Body, frozen=True):
    """A journaled checkpoint, or the best weights; `path` is relative to the run folder."""

    path: Text
    step: Count
    manifest_sha256: Sha256


class Hello(_Body, frozen=True):
    protocol: ProtocolVersion
    pid: Positive
    host: Name
    attempt: Positive
    versions: dict[Key, ShortText]


class Welcome(_Body, frozen=True):
    protocol: ProtocolVersion
    run_folder: Text
    config: dict[str, Any]
    resume_from: ResumePoint | None


class Reject(_Body, frozen=True):
    code: Name
    message: Text
    hint: Text


class Resumed(_Body, frozen=True):
    """What a script's own checkpoint says of the run that it comes from."""

    run: Name
    trainable: Annotated[list[Name], Meta(max_length=1024)]
    learning_rate_factor: NonNegative
    decided: Decided
    warming_up: WarmingUps | UnsetType = UNSET


class Point(_Body, frozen=True, kw_only=True):
    """One measured value of a series, as it was before boundary `update`."""

    value: MetricValue
    standard_error: MetricValue | None = None
    change_standard_error: MetricValue | None = None
    span_standard_error: MetricValue | None = None
    seconds: NonNegative
    update: Update


class Ready(_Body, frozen=True):
    blocks: Annotated[list[Block], Meta(max_length=1024)]
    head: Head
    num_updates: Update | None
    updates_per_epoch: Update | None
    learning_rates: LearningRates
    device: Name
    threads: Positive
    seed: Count
    resumed_from: Count
    can: Orders
    micro_batch: Positive | UnsetType = UNSET
    new_head: bool | UnsetType = UNSET
    resumed: Resumed | UnsetType = UNSET


class History(_Body, frozen=True):
    """Points of a series that a script measured in another run and goes on from; sent before `Ready`."""

    key: Name
    points: Annotated[list[Point], Meta(max_length=256)]


class Grant(_Body, frozen=True):
    """`best` comes with the order `restore_best` alone, `probe_every` where points come otherwise than configured."""

    until: Update | None
    trainable: Annotated[list[Name], Meta(max_length=1024)]
    learning_rate_factor: NonNegative
    orders: Orders
    probe: Annotated[list[Name], Meta(max_length=64)]
    probe_every: Update | UnsetType = UNSET
    decided: Decided | UnsetType = UNSET
    best: ResumePoint | UnsetType = UNSET
    warming_up: WarmingUps | UnsetType = UNSET


class Recall(_Body, frozen=True):
    pass


class Stop(_Body, frozen=True):
    reason: Literal["finished", "interrupted", "operator", "failed"]
    checkpoint: bool


class Applied(_Body, frozen=True):
    update: Update
    trainable_sha256: Sha256
    num_trainable: Count
    learning_rates: LearningRates


class Boundary(_Body, frozen=True):
    """`moved`: how far the head and the blocks, as in `Ready`, are from where the run began, relative to that."""

    update: Update
    recalled: bool
    metrics: Annotated[list[Metric], Meta(max_length=64)]
    seconds: SpentSeconds
    moved: Annotated[list[MetricValue | None], Meta(max_length=1024)] | UnsetType = UNSET
    recorded: RecordedValues | UnsetType = UNSET


class Progress(_Body, frozen=True):
    step: Count
    loss: MetricValue | None
    samples_per_second: NonNegative
    phase: Literal["train", "probe", "evaluate", "checkpoint"]
    detail: ShortText


class Evaluated(_Body, frozen=True):
    step: Count
    split: Name
    values: dict[Key, MetricValue]
    num_examples: Count
    regenerated: bool
    from_jpeg: bool | UnsetType = UNSET
    left_out: ShortText | UnsetType | None = UNSET
    made_with: ShortText | UnsetType = UNSET
    loss: Loss | UnsetType = UNSET


class Checkpointed(_Body, frozen=True):
    step: Count
    path: Text
    manifest_sha256: Sha256
    weights_sha256: Sha256


class Kept(_Body, frozen=True):
    """The weights after `step` updates are on disk as the best so far; `path` is relative to the run folder."""

    step: Count
    path: Text
    manifest_sha256: Sha256
    weights_sha256: Sha256


class Log(_Body, frozen=True):
    level: Literal["debug", "info", "warning", "error"]
    text: Text


class Ping(_Body, frozen=True):
    pass


class Pong(_Body, frozen=True):
    pass


class Finished(_Body, frozen=True, tag_field="outcome", tag="finished"):
    """`early`: the training ended by itself, before the number of updates that it had announced."""

    step: Count
    weights_sha256: Sha256 | None
    seconds: SpentSeconds
    early: bool | UnsetType = UNSET
    weights_unhashed: Text | UnsetType = UNSET
    recorded: RecordedValues | UnsetType = UNSET


class Stopped(_Body, frozen=True, tag_field="outcome", tag="stopped"):
    step: Count
    seconds: SpentSeconds


class Failed(_Body, frozen=True, tag_field="outcome", tag="failed"):
    step: Count
    fault: Literal["user", "code", "environment"]
    code: Name
    message: Text
    hint: Text = ""
    traceback: Text = ""


Closed: TypeAlias = Finished | Stopped | Failed
WorkerBody: TypeAlias = (
    Hello
    | Ready
    | History
    | Applied
    | Boundary
    | Progress
    | Evaluated
    | Checkpointed
    | Kept
    | Log
    | Ping
    | Pong
    | Closed
)
ControllerBody: TypeAlias = Welcome | Reject | Grant | Recall | Stop | Ping | Pong
