"""One comparison as a row: the ratio, its target, and what was timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.timing import Spread, ratios


@dataclass(frozen=True)
class Target:
    """What the median ratio should be."""

    at_least: float | None = None
    at_most: float | None = None

    def is_met_by(self, ratio: float) -> bool:
        return (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)

    def __str__(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


@dataclass(frozen=True)
class Row:
    """`sides` are seconds, the side of thawline first; `notes` are what else was checked or counted."""

    part: str
    what: str
    ratio: Spread
    target: Target | None
    sides: dict[str, Spread]
    settings: dict[str, int | str]
    notes: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.is_met_by(self.ratio.median)


def compared(
    ratio: Literal["speedup", "share"],
    part: str,
    what: str,
    taken: dict[str, list[float]],
    target: Target | None,
    settings: dict[str, int | str],
    notes: Sequence[str] = (),
) -> Row:
    """`speedup`: how many times faster the first side is; `share`: how much of the second side's time it takes."""
    ours, theirs = taken.values()
    found = ratios(theirs, ours) if ratio == "speedup" else ratios(ours, theirs)
    return Row(part, what, found, target, _spreads(taken), settings, list(notes))


def _spreads(taken: dict[str, list[float]]) -> dict[str, Spread]:
    return {name: Spread.of(seconds) for name, seconds in taken.items()}


def print_row(row: Row) -> None:
    verdict = {None: "no target", True: "met", False: "NOT MET"}[row.met]
    target = "" if row.target is None else f"target {row.target}: "
    print(f"{row.part}: {row.what}: {row.ratio}  {target}{verdict}")
    for name, seconds in row.sides.items():
        print(f"    {seconds} s  {name}")
    print(f"    {', '.join(f'{name} {value}' for name, value in row.settings.items())}")
    for note in row.notes:
        print(f"    {note}")
    print(flush=True)


def print_summary(rows: Sequence[Row]) -> None:
    judged = [row for row in rows if row.met is not None]
    missed = [row for row in judged if not row.met]
    print(f"{len(judged) - len(missed)} of {len(judged)} targets met" if judged else "nothing here has a target")
    for row in missed:
        print(f"    not met: {row.part}: {row.what}: {row.ratio.median:.3g}, target {row.target}")
