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


class MaskChange(NamedTuple):
    """From `update` on these blocks trained, or no longer did."""

    update: int
    trainable: bool
    blocks: tuple[str, ...]


class JournaledDecisions(NamedTuple):
    """`changes` in the order in which they were made."""

    interval: JournaledInterval | None
    changes: tuple[MaskChange, ...]


def read_decisions(run_folder: Path) -> JournaledDecisions:
    """All so far: a record is in the journal before the worker hears of its decisions. No journal: no decisions."""
    interval: JournaledInterval | None = None
    changes: list[MaskChange] = []
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
                case "block/frozen" | "block/unfrozen" as change:
                    # Each is there once: a resumed run that passes it again does not announce it again.
                    changes.append(
                        MaskChange(decision["update"], change.endswith("unfrozen"), tuple(decision["blocks"]))
                    )
    return JournaledDecisions(interval, tuple(changes))
