"""How often people hear of a training, and how fast it is said to be."""

from __future__ import annotations

import pytest

from thawline.lockstep import pace as module
from thawline.lockstep.pace import Pace


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)


def test_progress_is_due_at_most_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace()
    due = []
    for tick in range(1, 41):
        clock.now = tick / 8
        due.append(pace.is_due())
    assert [tick for tick, is_due in enumerate(due, 1) if is_due] == list(range(4, 41, 4))


def test_samples_per_second_counts_time_spent_training_only() -> None:
    pace = Pace()
    pace.count(64)
    pace.count(64)
    assert pace.samples_per_second(trained_seconds=2.0) == 64.0
    pace.count(30)
    assert pace.samples_per_second(trained_seconds=5.0) == 10.0
    pace.count(30)
    assert pace.samples_per_second(trained_seconds=5.0) == 0.0
