import copy

import pytest
import torch

from thawline.probes.head_features import head_features
from thawline.probes.noise import weight_noise
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope
from thawline.probes.sharpness import (
    head_surfaces,
    mean_over_batches,
    network_surfaces,
    sharpness_avg,
    sharpness_worst,
)

HEAD = ["fc.weight", "fc.bias"]
SCOPES = {"head": HEAD, "upper half": [*HEAD, "hidden.weight", "conv.bias", "bn2.weight", "bn2.bias"]}


def measure(function, network, objective, probe_set, names, *, on_features=False, **settings):
    scope = resolve_scope(network, "all", names)
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        surfaces = network_surfaces(network, objective, probe_set, scope, weights)
        if on_features:
            features = head_features(network, objective, probe_set, scope, lambda: None)
            surfaces = head_surfaces(features, probe_set, scope)
        return function(surfaces, probe_set, scope, poll=lambda: None, **settings)


def all_names(network):
    return [name for name, _ in network.named_parameters()]


@pytest.mark.parametrize("kind", ["independent", "antithetic"])
@pytest.mark.parametrize("scope", ["head", "upper half", "all"])
def test_sharpness_avg_agrees_with_a_double_precision_loop_on_the_same_noise(
    network, probe_set, objective, scope, kind
):
    names = SCOPES.get(scope, all_names(network))
    signs = (1,) if kind == "independent" else (1, -1)
    draws = 3 * len(signs)
    found = measure(sharpness_avg, network, objective, probe_set, names, rho=0.1, draws=draws, noise=kind, seed=5)
    reference = copy.deepcopy(network).double().eval()
    rows = []
    for draw in range(3):
        row = []
        for index, (inputs, labels) in enumerate(probe_set.batches):
            batch = (inputs.double(), labels)
            increases = []
            for sign in signs:
                moved = copy.deepcopy(reference)
                for name, parameter in moved.named_parameters():
                    if name in names:
                        noise = weight_noise([(name, parameter.numel())], 0.1, 5, index, draw)
                        parameter.data += sign * noise.view(parameter.shape).double()
                increases.append(objective.loss(moved, batch) - objective.loss(reference, batch))
            row.append(torch.stack(increases).mean(dim=0))
        rows.append(torch.cat(row).detach())
    expected = torch.stack(rows)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(("noise", "search"), [("independent", "apgd"), ("antithetic", "sphere")])
def test_the_head_on_cached_features_gives_the_values_of_the_general_path(network, probe_set, objective, noise, search):
    settings = {"rho": 0.1, "draws": 4, "noise": noise, "seed": 2}
    general = measure(sharpness_avg, network, objective, probe_set, HEAD, **settings)
    cached = measure(sharpness_avg, network, objective, probe_set, HEAD, on_features=True, **settings)
    torch.testing.assert_close(cached, general, rtol=1e-4, atol=1e-6)
    settings = {"rho": 0.1, "iterations": 15, "search": search, "tolerance": 1e-3}
    general = measure(sharpness_worst, network, objective, probe_set, HEAD, **settings)
    cached = measure(sharpness_worst, network, objective, probe_set, HEAD, on_features=True, **settings)
    torch.testing.assert_close(cached.best_increases, general.best_increases, rtol=1e-3, atol=1e-5)


def test_sharpness_avg_of_the_head_is_half_rho_squared_times_tr_f(network, probe_set, objective):
    """For a linear softmax head the Hessian of the loss is the Fisher matrix, whatever the labels."""
    rho = 0.1
    increases = measure(
        sharpness_avg,
        network,
        objective,
        probe_set,
        HEAD,
        on_features=True,
        rho=rho,
        draws=2000,
        noise="independent",
        seed=0,
    )
    scope = resolve_scope(network, "all", HEAD)
    with measuring(network, scope), torch.no_grad():
        features = torch.cat(head_features(network, objective, probe_set, scope, lambda: None).features)
        probabilities = torch.softmax(network.fc(features), dim=1)
        traces = (1 - probabilities.square().sum(dim=1)) * (features.square().sum(dim=1) + 1)
    expected = rho**2 / 2 * mean_over_batches(traces, probe_set.sizes)
    draw_means = torch.stack([block.mean(dim=1) for block in increases.split(list(probe_set.sizes), dim=1)])
    monte_carlo_error = float(draw_means.var(dim=1).sum().sqrt()) / len(draw_means) / 2000**0.5
    found = mean_over_batches(increases, probe_set.sizes)
    assert abs(found - expected) < 4 * monte_carlo_error + 0.1 * expected
    assert monte_carlo_error < 0.1 * expected


@pytest.mark.parametrize("search", ["sphere", "apgd"])
def test_sharpness_worst_is_at_least_a_plain_gradient_step_and_never_negative(network, probe_set, objective, search):
    rho = 0.05
    options = {"rho": rho, "iterations": 15, "search": search}
    found = measure(sharpness_worst, network, objective, probe_set, all_names(network), **options)
    network.eval()
    first = 0
    for batch in probe_set.batches:
        size = len(batch[1])
        value = float(found.best_increases[first : first + size].mean())
        first += size
        clean = objective.loss(network, batch).mean()
        gradients = torch.autograd.grad(clean, list(network.parameters()))
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        moved = copy.deepcopy(network)
        for parameter, gradient in zip(moved.parameters(), gradients, strict=True):
            parameter.data += rho * gradient / norm
        step = float((objective.loss(moved, batch).mean() - clean).detach())
        assert value >= 0.98 * step > 0


def test_the_number_of_forward_passes_is_the_least_possible(network, probe_set, objective):
    names, batches = all_names(network), len(probe_set.batches)
    network.forwards = 0
    measure(sharpness_avg, network, objective, probe_set, names, rho=0.01, draws=15, noise="independent", seed=0)
    assert network.forwards == batches * (1 + 15)
    network.forwards = 0
    # Two a pair, and the clean one is shared.
    measure(sharpness_avg, network, objective, probe_set, names, rho=0.01, draws=16, noise="antithetic", seed=0)
    assert network.forwards == batches * (1 + 2 * 8)
    network.forwards = 0
    backwards = []
    network.fc.register_full_backward_hook(lambda *_: backwards.append(1))
    measure(sharpness_worst, network, objective, probe_set, names, rho=0.01, iterations=15, search="apgd")
    assert network.forwards == batches * (1 + 15)
    assert len(backwards) == batches * 15


def test_the_search_on_the_sphere_says_how_many_gradients_it_took(network, probe_set, objective):
    network.forwards, backwards = 0, []
    network.fc.register_full_backward_hook(lambda *_: backwards.append(1))
    options = {"rho": 0.01, "iterations": 15, "search": "sphere", "tolerance": 0.005}
    found = measure(sharpness_worst, network, objective, probe_set, all_names(network), **options)
    assert len(found.gradients) == len(probe_set.batches)
    assert sum(found.gradients) == len(backwards)
    # At its end a search scores a point; all but the first look at what the batch before found.
    assert network.forwards <= len(backwards) + 2 * len(probe_set.batches) - 1
    assert found.last_increases is None
    one = measure(sharpness_worst, network, objective, probe_set, all_names(network), **options | {"iterations": 1})
    assert one.gradients == (1, 1, 1)
    assert (one.best_increases.mean() <= found.best_increases.mean()).all()


def test_a_pair_cancels_the_slope(network, probe_set, objective):
    """So its values scatter less than single ones with as many passes."""
    options = {"rho": 0.01, "draws": 64, "seed": 0, "on_features": True}
    single, pairs = (
        measure(sharpness_avg, network, objective, probe_set, HEAD, noise=kind, **options)
        for kind in ("independent", "antithetic")
    )
    assert (single.shape, pairs.shape) == ((64, 13), (32, 13))
    errors = [float(found.mean(dim=1).std()) / len(found) ** 0.5 for found in (single, pairs)]
    assert errors[1] < errors[0] / 5


def test_every_batch_weighs_the_same():
    assert mean_over_batches(torch.tensor([1.0, 1.0, 1.0, 5.0]), (3, 1)) == 3.0
    assert mean_over_batches(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), (1, 1)) == 2.5
