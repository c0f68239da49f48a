import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.probes.standard_errors import (
    degrees_over_draws_and_points,
    error_over_draws_and_points,
    error_over_points,
    error_within_batches,
    interval_factor,
)

numbers = st.floats(-100, 100)


@given(st.lists(numbers, min_size=2, max_size=12))
def test_error_over_points_is_that_of_a_mean(values):
    expected = np.std(values, ddof=1) / math.sqrt(len(values))
    assert error_over_points(torch.tensor(values, dtype=torch.float64)) == pytest.approx(expected, abs=1e-9)


def test_error_over_draws_and_points_is_the_two_way_formula_summed_over_batches():
    increases = np.random.default_rng(0).normal(size=(4, 9)) + np.random.default_rng(1).normal(size=(4, 1))
    variance = 0.0
    for batch in (increases[:, :5], increases[:, 5:]):
        draws, points = batch.shape
        residual = batch - batch.mean(0) - batch.mean(1)[:, None] + batch.mean()
        residual_mean_square = (residual**2).sum() / ((draws - 1) * (points - 1))
        variance += batch.mean(1).var(ddof=1) / draws + batch.mean(0).var(ddof=1) / points
        variance -= residual_mean_square / (draws * points)
    found = error_over_draws_and_points(torch.from_numpy(increases), (5, 4))
    assert found == pytest.approx(math.sqrt(variance) / 2, rel=1e-12)


@pytest.mark.parametrize(("draw_sd", "point_sd"), [(1.0, 0.2), (0.2, 1.0), (0.5, 0.5)])
def test_error_over_draws_and_points_covers_both_kinds_of_variation(draw_sd, point_sd):
    """Mean estimated variance against the known variance of the mean of a crossed random-effects table."""
    generator = torch.Generator().manual_seed(0)
    draws, points, tables = 6, 10, 3000
    squared_errors = 0.0
    for _ in range(tables):
        table = draw_sd * torch.randn(draws, 1, generator=generator) + point_sd * torch.randn(
            1, points, generator=generator
        )
        table = table + 0.3 * torch.randn(draws, points, generator=generator)
        squared_errors += error_over_draws_and_points(table, (points,)) ** 2
    truth = draw_sd**2 / draws + point_sd**2 / points + 0.3**2 / (draws * points)
    assert squared_errors / tables == pytest.approx(truth, rel=0.06)


@given(st.integers(0, 2**32 - 1))
def test_the_error_over_draws_and_points_is_never_below_that_over_draws_alone(seed):
    """Also where two groups of points move together and against each other, as classes do under a perturbed head."""
    random = np.random.default_rng(seed)
    groups = random.normal(size=(5, 1)) * np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0])
    increases = groups + 0.01 * random.normal(size=(5, 9))
    sizes = (4, 5)
    over_draws = sum(batch.mean(1).var(ddof=1) / 5 for batch in (increases[:, :4], increases[:, 4:]))
    found = error_over_draws_and_points(torch.from_numpy(increases), sizes)
    assert found >= math.sqrt(over_draws) / 2 * (1 - 1e-12)


def test_error_within_batches_ignores_differences_between_batches():
    values = np.random.default_rng(0).normal(size=12)
    shifted = values + np.repeat([0.0, 50.0, -7.0], 4)
    centred = values.reshape(3, 4) - values.reshape(3, 4).mean(axis=1, keepdims=True)
    expected = math.sqrt((centred**2).sum() / (12 - 3)) / math.sqrt(12)
    assert error_within_batches(torch.from_numpy(shifted), (4, 4, 4)) == pytest.approx(expected, rel=1e-9)


def test_error_within_batches_weighs_batches_and_not_points():
    values = torch.tensor([1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 0.0, 2.0])
    pooled = 8 / 6
    assert error_within_batches(values, (6, 2)) == pytest.approx(math.sqrt(pooled * (1 / 6 + 1 / 2)) / 2)


def test_too_little_data_or_values_that_are_not_finite_give_no_error():
    assert error_over_points(torch.tensor([1.0])) is None
    assert error_over_points(torch.tensor([1.0, math.nan])) is None
    assert error_over_draws_and_points(torch.ones(1, 4), (4,)) is None
    assert error_over_draws_and_points(torch.ones(3, 4), (3, 1)) is None
    assert error_over_draws_and_points(torch.full((3, 4), math.inf), (4,)) is None
    assert error_within_batches(torch.ones(2), (1, 1)) is None


@pytest.mark.parametrize(("degrees", "factor"), [(1, 12.706), (7, 2.365), (14, 2.145), (math.inf, 1.960)])
def test_intervals_over_few_draws_are_those_of_students_t(degrees, factor):
    assert interval_factor(degrees) == pytest.approx(factor, abs=1e-3)


def test_the_degrees_of_freedom_are_those_of_what_makes_the_error():
    random = np.random.default_rng(0)
    by_draw = torch.from_numpy(random.normal(size=(8, 1)) + 1e-3 * random.normal(size=(8, 20)))
    by_point = torch.from_numpy(random.normal(size=(1, 20)) + 1e-3 * random.normal(size=(8, 20)))
    assert degrees_over_draws_and_points(by_draw, (20,)) == pytest.approx(7, rel=1e-2)
    assert degrees_over_draws_and_points(torch.cat([by_draw] * 4, dim=1), (20,) * 4) == pytest.approx(28, rel=1e-2)
    assert degrees_over_draws_and_points(by_point, (20,)) == pytest.approx(19, rel=1e-2)
    assert 7 < degrees_over_draws_and_points(by_draw + by_point, (20,)) < 27
    assert degrees_over_draws_and_points(by_draw[:1], (20,)) == math.inf


def test_eight_draws_hold_the_truth_as_often_as_they_say():
    """Means of eight normal numbers: 1.96 errors to each side hold the truth in 91 % only."""
    draws = torch.randn(4000, 8, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = 1e-9 * torch.randn(4000, 8, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    tables = list(draws + noise)
    errors = torch.tensor([error_over_draws_and_points(table, (4,)) for table in tables])
    factors = torch.tensor([interval_factor(degrees_over_draws_and_points(table, (4,))) for table in tables])
    off = draws.mean(dim=(1, 2)).abs()
    assert float((off <= factors * errors).double().mean()) == pytest.approx(0.95, abs=0.012)
    assert float((off <= 1.96 * errors).double().mean()) < 0.925
