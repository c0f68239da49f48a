import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.probes.apgd import StepSize, checkpoints, maximise_loss, norm_of, project_


class Quadratic:
    """Two points with losses g.d +- 1 + d.A d / 2; counts its passes and keeps every value it handed out."""

    def __init__(self, gradient, curvature):
        self.gradient, self.curvature = gradient, curvature
        self.forwards = self.backwards = 0
        self.visited = []

    def losses(self, perturbations):
        return torch.stack([self._score(perturbation) for perturbation in perturbations])

    def losses_and_gradient(self, perturbation):
        self.backwards += 1
        return self._score(perturbation), (self.gradient + self.curvature * perturbation).float()

    def _score(self, perturbation):
        self.forwards += 1
        self.visited.append(perturbation.clone())
        d = perturbation.double()
        return (self.gradient * d).sum() + (self.curvature * d * d).sum() / 2 + torch.tensor([1.0, -1.0]).double()


def test_checkpoints_are_those_of_the_reference():
    assert checkpoints(15) == (4, 7, 9, 11, 12, 14)
    assert checkpoints(20) == (5, 9, 12, 15, 16, 18, 19)
    assert checkpoints(100) == (22, 41, 58, 70, 80, 87, 93, 99)


@given(st.integers(1, 300))
def test_checkpoints_rise_within_the_search(iterations):
    found = checkpoints(iterations)
    assert list(found) == sorted(set(found))
    assert all(0 < iteration < iterations for iteration in found)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_projection_is_the_nearest_point_of_the_ball(values, rho):
    point = torch.tensor(values)
    projected = project_(point.clone(), rho)
    norm = float(point.double().norm())
    assert float(projected.double().norm()) <= rho * (1 + 1e-6)
    if norm <= rho:
        assert torch.equal(projected, point)
    else:
        torch.testing.assert_close(projected.double(), point.double() * rho / norm, rtol=1e-5, atol=1e-30)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 3_000_000])
def test_norms_are_right_to_six_digits_however_long_the_vector(size):
    vector = torch.randn(size, generator=torch.Generator().manual_seed(size)) + 1
    assert float(norm_of(vector)) == pytest.approx(float(vector.double().norm()), rel=1e-6)


def test_the_maximum_of_a_quadratic_on_the_sphere_is_found():
    """On the ball of radius 1 around 0, 3 d_1 + (5 d_2^2 + d_3^2) / 2 is largest where (lambda - A) d = g, |d| = 1."""
    gradient, curvature = torch.tensor([3.0, 1e-3, 0.0]).double(), torch.tensor([0.0, 1.0, 0.5]).double()
    ascent = maximise_loss(Quadratic(gradient, curvature), torch.zeros(3), rho=1.0, iterations=50)
    assert float(ascent.best_losses.mean()) == pytest.approx(3.0, rel=1e-5)
    torch.testing.assert_close(ascent.best.double(), torch.tensor([1.0, 5e-4, 0.0]).double(), atol=1e-3, rtol=0)
    assert float(ascent.best.norm()) == pytest.approx(1.0, rel=1e-6)


@given(st.integers(1, 20), st.integers(0, 2**16))
def test_best_is_the_best_of_all_iterates_and_inside_the_ball(iterations, seed):
    generator = torch.Generator().manual_seed(seed)
    curvature = 30 * torch.randn(5, generator=generator).double()
    surface = Quadratic(torch.randn(5, generator=generator).double(), curvature)
    ascent = maximise_loss(surface, torch.zeros(5), rho=0.3, iterations=iterations)
    assert (surface.forwards, surface.backwards) == (iterations + 1, iterations)
    visited = list(surface.visited)
    values = [float(surface._score(delta).mean()) for delta in visited]
    assert float(ascent.best_losses.mean()) == max(values)
    assert torch.equal(ascent.best_losses, surface._score(ascent.best))
    assert torch.equal(ascent.clean_losses, surface._score(torch.zeros(5)))
    assert torch.equal(ascent.last_losses, surface._score(visited[-1]))
    assert all(float(delta.norm()) <= 0.3 * (1 + 1e-6) for delta in visited)


def test_a_halved_search_goes_on_from_the_best_point_with_the_gradient_there():
    """On a concave ridge narrower than the step, iterates overshoot until the step is halved at iteration 4."""
    surface = Quadratic(torch.tensor([0.5, 1.0]).double(), torch.tensor([0.0, -1e4]).double())
    maximise_loss(surface, torch.zeros(2), rho=1.0, iterations=15)
    values = [float(surface._score(delta).mean()) for delta in surface.visited[:6]]
    best = surface.visited[values.index(max(values))]
    gradient = (surface.gradient + surface.curvature * best).float()
    expected = 0.75 * project_(best + 1.0 * gradient / gradient.norm(), 1.0) + 0.25 * best
    torch.testing.assert_close(surface.visited[6], expected)


def test_a_flat_loss_stays_at_zero():
    ascent = maximise_loss(Quadratic(torch.zeros(2).double(), torch.zeros(2).double()), torch.zeros(2), 0.1, 15)
    assert torch.equal(ascent.best, torch.zeros(2))
    assert torch.equal(ascent.best_losses, ascent.clean_losses)


losses = st.lists(st.one_of(st.floats(-10, 10), st.just(math.nan)), min_size=15, max_size=15)


@given(losses)
def test_step_size_control_follows_its_two_conditions(sequence):
    control = StepSize(2.0, torch.tensor(0.0, dtype=torch.float64))
    value, best, successes, last = 2.0, 0.0, 0, 0
    value_before, best_before = value, best
    for iteration, loss in enumerate(sequence):
        improved = control.observe(torch.tensor(loss, dtype=torch.float64))
        assert bool(improved) == (loss > best)
        if loss > best:
            best, successes = loss, successes + 1
        if iteration in checkpoints(15):
            halve = successes < 0.75 * (iteration - last) or (value == value_before and best == best_before)
            value_before, best_before, successes, last = value, best, 0, iteration
            assert bool(control.reconsider(iteration)) == halve
            value = value / 2 if halve else value
        assert float(control.value) == value
        assert float(control.best_loss) == best
