"""The metrics here are those that a configuration may name: configs/schema.json is generated from the other table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import thawline.probes
from thawline.probes.measures import METRICS, SIGNALS

SCHEMA = json.loads((Path(__file__).parents[3] / "configs" / "schema.json").read_text())


def found(document: Any, key: str) -> Iterator[Any]:
    """What is under `key`, wherever it stands."""
    if isinstance(document, dict):
        for name, part in document.items():
            if name == key:
                yield part
            yield from found(part, key)
    elif isinstance(document, list):
        for part in document:
            yield from found(part, key)


def enums(document: Any) -> list[list[str]]:
    return [part for part in found(document, "enum") if isinstance(part, list)]


def test_the_metrics_are_those_of_the_configuration() -> None:
    (probe,) = found(SCHEMA["properties"], "probe")
    assert enums(probe["properties"]["metrics"]) == [list(METRICS)]


def test_the_signals_are_those_that_may_decide() -> None:
    signals = [part for part in found(SCHEMA["properties"]["intervention"], "signal") if enums(part)]
    assert signals
    assert all(enums(part) == [list(SIGNALS)] for part in signals)


def test_both_are_public() -> None:
    assert (thawline.probes.METRICS, thawline.probes.SIGNALS) == (METRICS, SIGNALS)
    assert METRICS[: len(SIGNALS)] == SIGNALS
