"""What a grant changes in a training, told from the grant before it.

A change of what trains is made once, and trained with. Taken back by an operator's stay before any update it would
leave its trace: frozen BatchNorm layers are calibrated at a release, and those that are frozen again would be as well.
So a recall that is there before the change leaves it for another grant, and one that comes later is heard an update on.
"""

from __future__ import annotations

from thawline.wire.protocol import Grant


def changes_mask_or_rate(before: Grant | None, grant: Grant) -> bool:
    """Whether anything that `grant` has a training hold is new, as everything of the first grant is."""
    return before is None or (before.trainable, before.learning_rate_factor) != (
        grant.trainable,
        grant.learning_rate_factor,
    )


def changes_next_update(before: Grant | None, grant: Grant, step: int) -> bool:
    """Whether after `step` updates another mask is set in which `grant` has the next one made."""
    is_long = grant.until is None or grant.until > step + 1
    return is_long and before is not None and before.trainable != grant.trainable
