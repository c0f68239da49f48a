"""The worker's reading of a journal that the controller wrote, or is writing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from journal_lines import frozen, interval_decided, journal_line, unfrozen, write_journal

from thawline.storage.journal import JournaledDecisions, JournaledInterval, MaskChange, read_decisions

HISTORIES = Path(__file__).parents[2] / "histories"
NOTHING = JournaledDecisions(None, ())


def recorded(history: str, folder: Path) -> JournaledDecisions:
    shutil.copy(HISTORIES / f"v0.1.0-simulated-{history}.journal", folder / "journal")
    return read_decisions(folder)


def test_a_run_without_a_journal_has_decided_nothing(tmp_path: Path) -> None:
    assert read_decisions(tmp_path) == NOTHING
    write_journal(tmp_path)
    assert read_decisions(tmp_path) == NOTHING


def test_a_recorded_run_that_found_its_interval(tmp_path: Path) -> None:
    assert recorded("online", tmp_path) == JournaledDecisions(
        JournaledInterval(k=16, source="online", signal="fisher_trace", decided_at=16),
        (
            MaskChange(16, True, ("block3",)),
            MaskChange(32, True, ("block2",)),
            MaskChange(48, True, ("block1",)),
        ),
    )


def test_a_recorded_run_with_a_fixed_interval_a_crash_and_an_operator(tmp_path: Path) -> None:
    """The worker died and passed some of it again; an operator took the last block early, at 33 instead of 45."""
    decisions = recorded("disturbed", tmp_path)
    assert decisions.interval == JournaledInterval(k=15, source="fixed", signal=None, decided_at=0)
    assert [(change.update, change.blocks) for change in decisions.changes] == [
        (15, ("block3",)),
        (30, ("block2",)),
        (33, ("block1",)),
    ]


def test_an_intervention_that_starts_later_freezes_first(tmp_path: Path) -> None:
    write_journal(tmp_path, frozen(5, "layer0"), interval_decided(k=3, update=8), unfrozen(8, "layer0"))
    assert read_decisions(tmp_path).changes == (MaskChange(5, False, ("layer0",)), MaskChange(8, True, ("layer0",)))


def test_two_changes_in_one_update_are_both_there(tmp_path: Path) -> None:
    """An operator unfreezes while the run stands where the policy has just done so."""
    write_journal(tmp_path, unfrozen(4, "layer2"), unfrozen(4, "layer1"))
    assert [change.blocks for change in read_decisions(tmp_path).changes] == [("layer2",), ("layer1",)]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_last_line_that_is_half_there_is_not_read(tmp_path: Path, cut: int) -> None:
    write_journal(tmp_path, unfrozen(2, "layer1"))
    with (tmp_path / "journal").open("a", encoding="utf-8") as file:
        file.write(journal_line(3, [unfrozen(4, "layer0")])[:-cut])
    assert read_decisions(tmp_path).changes == (MaskChange(2, True, ("layer1",)),)


def test_only_a_line_feed_ends_a_record(tmp_path: Path) -> None:
    """JSON leaves U+2028 and U+0085 in strings as they are; str.splitlines would cut there."""
    name = "top\u2028of\u0085all"
    assert name in json.loads(journal_line(1, [unfrozen(2, name)])[9:])["decisions"][0]["blocks"]
    write_journal(tmp_path, unfrozen(2, name), unfrozen(4, "layer0"))
    assert [change.blocks for change in read_decisions(tmp_path).changes] == [(name,), ("layer0",)]
