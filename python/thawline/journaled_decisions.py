"""What the controller decided, as the run's journal has it; docs/run-folder.md explains the records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

# Eight hex digits of CRC-32 and a space come before the JSON of a record.
_JSON_BEGINS = 9


class JournaledInterval(NamedTuple):
    """k, how it was found, the signal (null where none was asked), and the update at which it was decided."""

    k: int
    source: str
    signal: str | None
    decided_at: int


class JournaledDecisions(NamedTuple):
    """`released` are updates, each with the blocks that trained from it on."""

    interval: JournaledInterval | None
    released: tuple[tuple[int, tuple[str, ...]], ...]


def read_decisions(run_folder: Path) -> JournaledDecisions:
    """All so far: a record is in the journal before the worker hears of its decisions. No journal: no decisions."""
    interval: JournaledInterval | None = None
    released: dict[int, tuple[str, ...]] = {}
    journal = run_folder / "journal"
    text = journal.read_text(encoding="utf-8") if journal.is_file() else ""
    # Only a line feed ends a record, and the last one may be only half there yet.
    for line in text.split("\n")[:-1]:
        for decision in json.loads(line[_JSON_BEGINS:]).get("decisions", []):
            match decision["type"]:
                case "interval/decided":
                    interval = JournaledInterval(
                        decision["k"], decision["source"], decision["signal"], decision["update"]
                    )
                case "block/unfrozen":
                    # A resumed run passes the same releases again.
                    released[decision["update"]] = tuple(decision["blocks"])
    return JournaledDecisions(interval, tuple(sorted(released.items())))
