"""What counts as a change, and in which update."""

from __future__ import annotations

import pytest

from thawline.lockstep.granted_change import changes_mask_or_rate, changes_next_update
from thawline.wire.protocol import Grant

BEFORE = Grant(5, ["head"], 1.0, [], [])


def test_the_first_grant_and_another_mask_or_factor_are_changes() -> None:
    assert changes_mask_or_rate(None, BEFORE)
    assert changes_mask_or_rate(BEFORE, Grant(9, ["head", "top"], 1.0, [], []))
    assert changes_mask_or_rate(BEFORE, Grant(9, ["head"], 0.5, [], []))
    assert not changes_mask_or_rate(BEFORE, Grant(9, ["head"], 1.0, ["evaluate"], []))


@pytest.mark.parametrize(("until", "changes"), [(5, False), (6, True), (None, True)])
def test_a_grant_of_no_length_changes_no_update(until: int | None, changes: bool) -> None:
    assert changes_next_update(BEFORE, Grant(until, ["head", "top"], 1.0, [], []), 4) is changes
    assert not changes_next_update(BEFORE, Grant(until, ["head"], 0.5, [], []), 4)
    assert not changes_next_update(None, Grant(until, ["head"], 1.0, [], []), 4)
