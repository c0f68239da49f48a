import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.probes.anderson import POINTS, Step, accelerated


def iterate(turn, shift, steps):
    """Points of x <- turn x + shift from zero, accelerated; the error of each."""
    fixed = torch.linalg.solve(torch.eye(len(shift)) - turn, shift)
    taken, point, errors = [], torch.zeros_like(shift), []
    for _ in range(steps):
        errors.append(float((point - fixed).norm()))
        taken = [*taken[1 - POINTS :], Step(point, turn @ point + shift)]
        combined = accelerated(taken)
        point = taken[-1].image if combined is None else combined
    return errors


def test_one_step_alone_combines_to_nothing():
    assert accelerated([Step(torch.zeros(2), torch.ones(2))]) is None


@pytest.mark.parametrize("factor", [0.9, -0.9], ids=["creeps", "jumps across"])
def test_what_goes_along_one_line_is_there_after_two_steps(factor):
    errors = iterate(factor * torch.eye(3), torch.tensor([1.0, -2.0, 0.5]), 3)
    assert errors[2] <= 1e-5 * errors[0]


def test_two_directions_at_once_are_there_after_three():
    errors = iterate(torch.diag(torch.tensor([0.9, -0.9, 0.9, -0.9])), torch.tensor([1.0, 2.0, -1.0, 0.5]), 4)
    assert errors[3] <= 1e-3 * errors[0]


@given(st.integers(0, 2**16))
def test_many_directions_come_nearer_than_without(seed):
    generator = torch.Generator().manual_seed(seed)
    factors = 1.6 * torch.rand(6, generator=generator) - 0.8
    shift = torch.randn(6, generator=generator)
    plain = float((factors.abs() ** 8 * (shift / (1 - factors)).abs()).norm())
    assert iterate(torch.diag(factors), shift, 9)[-1] <= plain + 1e-4


def test_steps_that_have_arrived_or_are_not_finite_combine_to_nothing():
    there = Step(torch.ones(2), torch.ones(2))
    assert accelerated([there, there]) is None
    broken = Step(torch.ones(2), torch.tensor([float("nan"), 0.0]))
    assert accelerated([there, broken]) is None


def test_parallel_steps_are_not_taken_apart_by_rounding():
    along = torch.tensor([1.0, 1.0])
    steps = [Step(share * along, (0.5 * share + 0.5) * along) for share in (0.0, 0.5, 0.75)]
    assert torch.allclose(accelerated(steps), along, atol=1e-3)
