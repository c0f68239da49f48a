"""What a grant, and a script's own checkpoint, say of blocks whose learning rates rise after their release."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from thawline.wire.prescan import MAX_SAFE_INTEGER
from thawline.wire.values import Name, Update


class WarmingUp(Struct, frozen=True, forbid_unknown_fields=True):
    """Blocks released before update `since`: in update i rates are times (i - since + 1) / num_updates, up to 1."""

    blocks: Annotated[list[Name], Meta(max_length=1024)]
    since: Update
    num_updates: Annotated[int, Meta(ge=2, le=MAX_SAFE_INTEGER)]

    def ramp(self, update: int) -> float:
        """What the rates are multiplied by in `update`, beside the factor of all; the TypeScript side has the same."""
        return min(update - self.since + 1, self.num_updates) / self.num_updates


WarmingUps: TypeAlias = Annotated[list[WarmingUp], Meta(max_length=1024)]
