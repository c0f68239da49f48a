import pytest
import torch

from thawline.probes.apgd import maximise_loss
from thawline.probes.loss_surface import NetworkSurface
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope
from thawline.probes.search_precision import BFloat16Surface, rescored, rescored_on_sphere
from thawline.probes.sharpness import network_surfaces, sharpness_avg, sharpness_worst
from thawline.probes.sphere import SphereAscent

RHO = 0.1


@pytest.fixture
def surface(network, points, objective):
    scope = resolve_scope(network, "trainable")
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        yield NetworkSurface(network, objective, points, scope, weights)


@pytest.fixture
def start(network):
    return torch.zeros(sum(parameter.numel() for parameter in network.parameters()))


def test_weights_moved_in_place_are_cast_anew_within_one_call(surface, start):
    """Autocast's cache would give every perturbation the losses of the first."""
    noise = [start, torch.full_like(start, 0.5), torch.full_like(start, -0.5)]
    clean, up, down = BFloat16Surface(surface, start.device).losses(noise)
    assert not torch.equal(clean, up)
    assert not torch.equal(up, down)


def test_the_network_really_runs_in_bfloat16(surface, start):
    low, gradient = BFloat16Surface(surface, start.device).losses_and_gradient(start)
    full, full_gradient = surface.losses_and_gradient(start)
    assert not torch.equal(low, full)
    torch.testing.assert_close(low, full, rtol=0.05, atol=0.05)
    assert gradient.dtype == torch.float32
    assert torch.cosine_similarity(gradient, full_gradient, dim=0) > 0.98


def test_the_search_moves_and_its_result_is_scored_in_float32(surface, start):
    ascent = maximise_loss(BFloat16Surface(surface, start.device), start, RHO, iterations=5)
    scored = rescored(ascent, surface)
    assert 0 < scored.best.norm() <= RHO * (1 + 1e-5)
    for losses, perturbation in (
        (scored.clean_losses, start),
        (scored.best_losses, scored.best),
        (scored.last_losses, scored.last),
    ):
        assert torch.equal(losses, surface.losses([perturbation])[0])
    assert scored.best_losses.mean() > scored.clean_losses.mean()


def test_a_best_point_that_scores_below_the_clean_loss_is_none(surface, start):
    """Found by descending instead of ascending."""
    _, gradient = surface.losses_and_gradient(start)
    ascent = maximise_loss(surface, start, RHO, iterations=2)
    downhill = -RHO * gradient / gradient.norm()
    scored = rescored(type(ascent)(*[ascent.clean_losses] * 3, best=downhill, last=downhill), surface)
    assert torch.equal(scored.best_losses, scored.clean_losses)
    assert torch.equal(scored.best, start)
    assert scored.last_losses.mean() < scored.clean_losses.mean()


@pytest.mark.parametrize("search", ["sphere", "apgd"])
def test_sharpness_keeps_its_value_when_the_search_is_in_bfloat16(network, probe_set, objective, search):
    scope = resolve_scope(network, "trainable")

    def measure(precision):
        with measuring(network, scope), PerturbedWeights(scope) as weights:
            surfaces = network_surfaces(network, objective, probe_set, scope, weights)
            options = {"rho": RHO, "iterations": 6, "poll": lambda: None, "search_precision": precision}
            return sharpness_worst(surfaces, probe_set, scope, search=search, tolerance=0.005, **options)

    full, low = measure("float32"), measure("bfloat16")
    assert not torch.equal(full.best_increases, low.best_increases)
    assert float(low.best_increases.mean()) == pytest.approx(float(full.best_increases.mean()), rel=0.03)


def test_sharpness_avg_of_a_large_perturbation_is_not_zero_inside_a_callers_autocast(network, probe_set, objective):
    scope = resolve_scope(network, "trainable")
    with torch.autocast("cpu", torch.bfloat16), measuring(network, scope), PerturbedWeights(scope) as weights:
        surfaces = network_surfaces(network, objective, probe_set, scope, weights)
        found = sharpness_avg(
            surfaces, probe_set, scope, rho=1.0, draws=2, noise="independent", seed=0, poll=lambda: None
        )
    assert (found != 0).all()


def test_of_a_search_on_the_sphere_the_best_in_float32_counts(surface, start):
    """Whatever bfloat16 held to be the best: the step along the gradient, or nothing at all, may be better."""
    clean, gradient = surface.losses_and_gradient(start)
    uphill = RHO * gradient / gradient.norm()
    for best, first, expected in ((uphill / 2, uphill, uphill), (uphill, -uphill, uphill), (-uphill, -uphill, start)):
        scored = rescored_on_sphere(SphereAscent(clean, clean, best, first, gradients=2), surface)
        assert torch.equal(scored.best, expected)
        assert torch.equal(scored.best_losses, surface.losses([expected])[0])
        assert torch.equal(scored.clean_losses, surface.losses([start])[0])
