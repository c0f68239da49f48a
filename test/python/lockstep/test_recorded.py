"""Numbers that a script records: what may be recorded, and with which boundary it goes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from thawline.errors import UserError
from thawline.lockstep.recorded import RecordedNumbers, check_recorded
from thawline.probes.measures import METRICS
from thawline.wire.values import MOST_RECORDED, NonFinite, RecordedValue


def value(name: str, number: float = 1.0) -> RecordedValue:
    return RecordedValue(name, number)


@pytest.mark.parametrize("number", [0.5, 1, np.float32(0.5), torch.tensor(0.5), torch.tensor([[0.5]])])
def test_numbers_of_every_library_are_numbers(number: Any) -> None:
    recorded = check_recorded("val/loss-2.top", number, number)
    assert recorded == RecordedValue("val/loss-2.top", float(number), float(number))


@pytest.mark.parametrize(
    ("number", "spelled"), [(math.nan, "nan"), (torch.tensor(math.inf), "inf"), (-(10**400), "-inf")]
)
def test_what_is_not_finite_survives(number: Any, spelled: Any) -> None:
    assert check_recorded("loss", number, None) == RecordedValue("loss", NonFinite(spelled))


@pytest.mark.parametrize("name", ["", "validation loss", "1st", "a" * 65, "é", "loss\n", 3, None])
def test_a_name_that_no_configuration_could_write_is_refused(name: object) -> None:
    with pytest.raises(UserError, match=r"run\.record: `name` must be a letter"):
        check_recorded(name, 1.0, None)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_thawlines_own_is_no_name(name: str) -> None:
    with pytest.raises(UserError, match="measures itself"):
        check_recorded(name, 1.0, None)


@pytest.mark.parametrize("number", ["0.5", True, None, torch.zeros(2), [1.0], 1j])
def test_what_is_no_number_is_refused(number: object) -> None:
    with pytest.raises(UserError, match="`value` must be a number"):
        check_recorded("loss", number, None)


@pytest.mark.parametrize("error", [-0.1, "0.1", torch.zeros(2)])
def test_an_error_is_a_number_that_is_not_negative(error: object) -> None:
    with pytest.raises(UserError, match="`standard_error` must be"):
        check_recorded("loss", 1.0, error)


def test_a_number_goes_with_the_first_boundary_that_it_is_due_at_and_is_sent_once() -> None:
    numbers = RecordedNumbers()
    assert numbers.add(value("loss"), 5)
    assert (numbers.is_due(4), numbers.take(4)) == (False, UNSET)
    assert numbers.is_due(5)
    assert numbers.take(6) == [value("loss")]
    assert (numbers.is_due(9), numbers.take(9)) == (False, UNSET)


def test_of_two_for_one_boundary_the_last_counts() -> None:
    numbers = RecordedNumbers()
    assert numbers.add(value("loss", 1.0), 5)
    assert not numbers.add(value("loss", 2.0), 5)
    assert numbers.add(value("accuracy", 3.0), 5)
    assert numbers.take(5) == [value("loss", 2.0), value("accuracy", 3.0)]


def test_a_run_has_so_many_names_and_no_more() -> None:
    numbers = RecordedNumbers()
    for index in range(MOST_RECORDED):
        numbers.add(value(f"n{index}"), index)
        numbers.take(index)
    numbers.add(value("n0"), 99)
    with pytest.raises(UserError, match="name of series 65"):
        numbers.add(value("one_more"), 99)


Recorded = list[tuple[str, int, int]]


def train(numbers: RecordedNumbers, first: int, recorded: Recorded, saved: int) -> tuple[dict[int, object], list[Any]]:
    """What goes with each boundary, and what a checkpoint after step `saved` keeps.

    As under a trainer, which evaluates and saves after a step once the boundary ahead of the next update is passed.
    """
    sent, kept = {}, []
    for step in range(first, 14):
        sent[step + 1] = numbers.take(step + 1)
        for name, at, number in recorded:
            if at == step:
                numbers.add(value(name, number), step + 2)
        if step == saved:
            kept = numbers.pending_after(step)
    return sent, kept


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 99)), max_size=20), st.integers(0, 9)
)
def test_who_goes_on_from_a_checkpoint_sends_what_was_still_to_come(recorded: Recorded, saved: int) -> None:
    whole, kept = train(RecordedNumbers(), 0, recorded, saved)
    resumed = RecordedNumbers()
    resumed.restore(kept)
    sent, _ = train(resumed, saved, [one for one in recorded if one[1] > saved], saved)
    assert sent == {update: whole[update] for update in sent}
