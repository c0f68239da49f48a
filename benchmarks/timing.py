"""Interleaved timing: the sides of a comparison take turns, so that a busy neighbour slows them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import torch

Action = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of `n` values; of one value they are that value, and no spread was seen."""

    lower: float
    median: float
    upper: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        return cls(*statistics.quantiles(values, n=4, method="inclusive"), len(values))

    def __str__(self) -> str:
        quartiles = "(n = 1)" if self.n == 1 else f"[{self.lower:.3g}, {self.upper:.3g}]"
        return f"{self.median:.3g} {quartiles}"


@dataclass(frozen=True)
class Clock:
    """Wall time up to the end of an action's work on the device, or the processor time of the calling thread.

    Processor time leaves out what other processes take, but also what an action's own threads and processes do.
    """

    device: torch.device
    kind: Literal["wall", "cpu"] = "wall"

    def seconds_of(self, action: Action) -> float:
        now = time.perf_counter if self.kind == "wall" else time.thread_time
        began = now()
        action()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return now() - began


class TimesItself(Protocol):
    def seconds(self) -> float:
        """Of one turn."""


def take_turns(sides: Mapping[str, Action | TimesItself], rounds: int, clock: Clock) -> dict[str, list[float]]:
    """Seconds of each side in each round, in the order A B A B ..., after one untimed turn of each."""
    turns = {name: partial(clock.seconds_of, side) if callable(side) else side.seconds for name, side in sides.items()}
    for turn in turns.values():
        turn()
    taken: dict[str, list[float]] = {name: [] for name in sides}
    gc.collect()
    gc.disable()  # a collection would land on whichever side happens to be running
    try:
        for _ in range(rounds):
            for name, turn in turns.items():
                taken[name].append(turn())
    finally:
        gc.enable()
    return taken


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """The spread of the ratios within rounds: neighbours in time share what disturbs them."""
    return Spread.of([top / bottom for top, bottom in zip(numerators, denominators, strict=True)])


def fastest(sides: Mapping[int, Action | TimesItself], clock: Clock) -> int:
    """The key of the side with the smallest time in three rounds."""
    if len(sides) == 1:
        return next(iter(sides))
    taken = take_turns({str(key): side for key, side in sides.items()}, 3, clock)
    return min(sides, key=lambda key: min(taken[str(key)]))
