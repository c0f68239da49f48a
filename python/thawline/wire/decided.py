"""What a script keeps beside its own checkpoint of the decisions of its run, and a grant tells it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from thawline.wire.values import Count, Name, NonNegative, ShortText, Update


class DecidedInterval(Struct, frozen=True, forbid_unknown_fields=True):
    k: Update
    source: Literal["online", "fixed", "cap", "operator"]
    signal: Name | None
    decided_at: Count
    k_offline: Update | None
    k_offline_reason: ShortText | None


class OperatorChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """The updates before which an operator unfroze a block, and the factor that an operator set last."""

    unfreezes: Annotated[list[Update], Meta(max_length=1024)]
    learning_rate_factor: NonNegative


class Decided(Struct, frozen=True, forbid_unknown_fields=True):
    """What was decided so far and cannot be told from the weights: a script keeps it beside its own checkpoint."""

    interval: DecidedInterval | None
    operator: OperatorChanges
    probe_every: Update | UnsetType = UNSET
