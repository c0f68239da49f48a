"""On a clock of the test's own: no time is counted twice, and none is lost."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from thawline.lockstep import stopwatch as module
from thawline.lockstep.stopwatch import Stopwatch


@dataclass
class Clock:
    now: float = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock.now)
    return clock


def test_training_is_what_nothing_else_took(clock: Clock) -> None:
    stopwatch = Stopwatch()
    clock.now = 4.0
    with stopwatch.measure("probe"):
        clock.now = 5.5
    with stopwatch.measure("wait"):
        clock.now = 7.5
    clock.now = 10.0
    assert msgspec.structs.astuple(stopwatch.total()) == (6.5, 1.5, 2.0, 0.0, 0.0)


def test_time_counts_even_where_the_work_was_interrupted(clock: Clock) -> None:
    stopwatch = Stopwatch()

    def evaluate_for_a_while() -> None:
        with stopwatch.measure("evaluate"):
            clock.now = 3.0
            raise KeyError

    with pytest.raises(KeyError):
        evaluate_for_a_while()
    assert stopwatch.total().evaluate == 3.0


def test_reports_add_up_to_the_total(clock: Clock) -> None:
    stopwatch = Stopwatch()
    reports = []
    for seconds in (1.0, 0.25, 2.5):
        clock.now += 1.0
        with stopwatch.measure("checkpoint"):
            clock.now += seconds
        reports.append(stopwatch.since_last_report())
    assert [report.checkpoint for report in reports] == [1.0, 0.25, 2.5]
    assert [report.train for report in reports] == [1.0, 1.0, 1.0]
    assert stopwatch.total().checkpoint == 3.75
