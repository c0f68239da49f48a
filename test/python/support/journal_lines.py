"""A run's journal with given decisions, in the layout that docs/run-folder.md describes."""

import json
import zlib
from pathlib import Path
from typing import Any


def journal_line(number: int, decisions: list[dict[str, Any]]) -> str:
    record: dict[str, Any] = {"n": number, "epoch": 1, "at": "2026-01-01T00:00:00.000Z", "event": {"type": "x"}}
    content = json.dumps(record | ({"decisions": decisions} if decisions else {}), ensure_ascii=False)
    return f"{zlib.crc32(content.encode()):08x} {content}\n"


def write_journal(folder: Path, *decisions: dict[str, Any]) -> None:
    """One record a decision, after one that decides nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [journal_line(number, [decision]) for number, decision in enumerate(decisions, 2)]
    (folder / "journal").write_text("".join([journal_line(1, []), *lines]), encoding="utf-8")


def interval_decided(**changes: Any) -> dict[str, Any]:
    decided = {"type": "interval/decided", "k": 3, "source": "online", "signal": "fisher_trace", "update": 3}
    return {**decided, "judgement": None, "kOffline": None, "kOfflineReason": None, **changes}


def unfrozen(update: int, *blocks: str) -> dict[str, Any]:
    return {"type": "block/unfrozen", "update": update, "blocks": list(blocks)}


def frozen(update: int, *blocks: str) -> dict[str, Any]:
    return {"type": "block/frozen", "update": update, "blocks": list(blocks)}
