"""Where an attempt's wall time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from thawline.wire.protocol import SpentSeconds

Activity = Literal["probe", "wait", "evaluate", "checkpoint"]


class Stopwatch:
    """Sums the time of everything that is not training; training is the rest."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spent: dict[Activity, float] = {"probe": 0.0, "wait": 0.0, "evaluate": 0.0, "checkpoint": 0.0}
        self._reported = SpentSeconds(0, 0, 0, 0, 0)

    @contextmanager
    def measure(self, activity: Activity) -> Iterator[None]:
        """Counts the seconds within the `with` block as spent on `activity`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._spent[activity] += time.perf_counter() - began

    def total(self) -> SpentSeconds:
        """Seconds of each activity since the stopwatch was made; `train` is what is left of the wall time."""
        elapsed = time.perf_counter() - self._began
        train = max(0.0, elapsed - sum(self._spent.values()))
        return SpentSeconds(train=train, **self._spent)

    def since_last_report(self) -> SpentSeconds:
        """Seconds of each activity since the call before, so that all reports add up to `total`."""
        now, before = self.total(), self._reported
        self._reported = now
        names = ("train", "probe", "wait", "evaluate", "checkpoint")
        return SpentSeconds(**{name: max(0.0, getattr(now, name) - getattr(before, name)) for name in names})
