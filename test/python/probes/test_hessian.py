import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from thawline.probes import ClassificationObjective, ProbeSet
from thawline.probes.head_features import head_features
from thawline.probes.hessian import head_loss_terms, hessian_lambda_max, hessian_product, network_loss_terms
from thawline.probes.noise import search_start
from thawline.probes.scope import measuring, resolve_scope

HEAD = ["fc.weight", "fc.bias"]
SCOPES = {"head": HEAD, "upper half": [*HEAD, "hidden.weight", "conv.bias", "bn2.weight", "bn2.bias"]}


def no_poll():
    pass


def measure(network, objective, probe_set, names, *, on_features=False, warm=None):
    scope = resolve_scope(network, "all", names)
    with measuring(network, scope):
        if on_features:
            features = head_features(network, objective, probe_set, scope, no_poll)
            terms = head_loss_terms(features, probe_set, no_poll)
        else:
            terms = network_loss_terms(network, objective, probe_set, scope, no_poll)
        return hessian_lambda_max(terms, scope, search_start(scope.num_parameters, seed=0), warm)


def exact_hessian(network, points, names):
    """The dense Hessian of the mean loss over `names`, by double backward in float64."""
    network = copy.deepcopy(network).double().eval()
    named = dict(network.named_parameters())
    chosen = [name for name in named if name in names]
    sizes = [named[name].numel() for name in chosen]

    def loss(flat):
        moved = {name: part.view(named[name].shape) for name, part in zip(chosen, flat.split(sizes), strict=True)}
        return functional.cross_entropy(torch.func.functional_call(network, moved, points[0].double()), points[1])

    weights = torch.cat([named[name].detach().flatten() for name in chosen])
    with sdpa_kernel(SDPBackend.MATH):
        return torch.autograd.functional.hessian(loss, weights)


@pytest.mark.parametrize("scope", ["head", "upper half"])
def test_the_value_is_the_largest_eigenvalue_of_the_dense_hessian(network, probe_set, points, objective, scope):
    exact = torch.linalg.eigvalsh(exact_hessian(network, points, SCOPES[scope]))[-1]
    found = measure(network, objective, probe_set, SCOPES[scope])
    assert found.value == pytest.approx(float(exact), rel=1e-4)
    assert found.residual <= 1e-3 * found.value


def test_a_product_is_that_of_the_dense_hessian_whatever_the_batches(network, points, objective):
    names = SCOPES["upper half"]
    exact = exact_hessian(network, points, names)
    scope = resolve_scope(network, "all", names)
    vector = search_start(scope.num_parameters, seed=3)
    for batch_size in (4, 13):
        with measuring(network, scope):
            probe_set = ProbeSet.split(*points, batch_size)
            terms = network_loss_terms(network, objective, probe_set, scope, no_poll)
            found = hessian_product(terms, scope, vector)
        torch.testing.assert_close(found.double(), exact @ vector.double(), rtol=1e-4, atol=1e-5)


def test_the_head_on_cached_features_gives_the_value_of_the_general_path(network, probe_set, objective):
    general = measure(network, objective, probe_set, HEAD)
    cached = measure(network, objective, probe_set, HEAD, on_features=True)
    assert cached.value == pytest.approx(general.value, rel=1e-5)
    torch.testing.assert_close(cached.vector, general.vector, rtol=1e-2, atol=1e-3)


class Quadratic(nn.Module):
    """Logits are the weights themselves; the loss of `QuadraticObjective` is 1/2 sum curvature * weight^2."""

    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, size))
        self.idle = nn.Parameter(torch.ones(2))

    def forward(self, inputs):
        return self.weight.expand(len(inputs), -1)


class QuadraticObjective:
    def __init__(self, curvature):
        self.curvature = curvature

    def logits(self, model, batch):
        return [model(batch)]

    def loss(self, model, batch):
        return (self.curvature * model(batch).square()).sum(dim=-1) / 2


@pytest.mark.parametrize(
    ("curvature", "expected"),
    [
        (torch.linspace(-30, 7, 60), 7.0),  # the largest, not the largest in size
        (torch.linspace(-9, -2, 60), 0.0),  # the idle parameters have curvature 0
        (torch.zeros(60), 0.0),
    ],
)
def test_a_quadratic_has_the_spectrum_that_it_was_given(curvature, expected):
    network = Quadratic(60)
    probe_set = ProbeSet([torch.zeros(3, 1), torch.zeros(2, 1)])
    found = measure(network, QuadraticObjective(curvature), probe_set, ["weight", "idle"])
    assert found.value == pytest.approx(expected, abs=1e-2)
    assert abs(found.value - expected) <= found.residual + 1e-5


def test_a_parameter_that_the_loss_does_not_bend_in_has_eigenvalue_zero(points):
    class Linear(QuadraticObjective):
        def loss(self, model, batch):
            return model(batch).sum(dim=-1)

    found = measure(Quadratic(5), Linear(None), ProbeSet([torch.zeros(3, 1)]), ["weight"])
    assert (found.value, found.residual) == (0.0, 0.0)


class Attention(nn.Module):
    """Self-attention through the fused kernel, which alone has no second derivative."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(4, 12)
        self.fc = nn.Linear(4, 3)

    def forward(self, tokens):
        query, key, value = self.project(tokens).unsqueeze(1).chunk(3, dim=-1)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.fc(mixed.squeeze(1).mean(dim=1))


def test_attention_has_second_derivatives_too():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Attention()
        points = torch.randn(6, 5, 4), torch.randint(0, 3, (6,))
    names = [name for name, _ in network.named_parameters()]
    found = measure(network, ClassificationObjective(), ProbeSet([points]), names)
    exact = torch.linalg.eigvalsh(exact_hessian(network, points, names))[-1]
    assert found.value == pytest.approx(float(exact), rel=1e-4)
