"""What a measured scalar is of each block by itself."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from thawline.wire.values import MetricValue, NonNegative


class BlockValues(Struct, frozen=True, forbid_unknown_fields=True):
    """A scalar of the head and of each block, as in `Ready`: null where nothing of it is in scope.

    `seconds`: what they took beside the whole. No `standard_errors` where none of them has one.
    """

    values: Annotated[list[MetricValue | None], Meta(max_length=128)]
    seconds: NonNegative
    standard_errors: Annotated[list[MetricValue | None], Meta(max_length=128)] | UnsetType = UNSET
