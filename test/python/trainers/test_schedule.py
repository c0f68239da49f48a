from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thawline.config.run import ConstantSchedule, LinearSchedule, LinearTailSchedule
from thawline.trainers.schedule import schedule_factor


@given(st.integers(1, 500), st.floats(0.01, 1))
def test_the_linear_tail_is_constant_and_then_falls_to_zero(num_updates: int, fraction: float) -> None:
    share = schedule_factor(LinearTailSchedule(fraction), num_updates)
    tail = max(1, round(fraction * num_updates))
    values = [share(update) for update in range(1, num_updates + 2)]
    assert values[: num_updates + 1 - tail] == [1.0] * (num_updates + 1 - tail)
    assert values[-1] == 0.0
    falling = values[num_updates - tail :]
    assert all(a - b == pytest.approx(1 / tail) for a, b in itertools.pairwise(falling))


def test_the_constant_schedule_is_the_base_rate() -> None:
    share = schedule_factor(ConstantSchedule(), 10)
    assert [share(update) for update in (1, 5, 10, 11)] == [1.0] * 4


def test_the_linear_schedule_falls_from_the_first_update_on() -> None:
    share = schedule_factor(LinearSchedule(), 4)
    assert [share(update) for update in range(1, 6)] == [1.0, 0.75, 0.5, 0.25, 0.0]
