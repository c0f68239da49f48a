import copy
import math

import pytest
import torch
from torch.nn import functional

from thawline.probes import Prober, ProbeSet, ProbeSettings

HEAD = ["fc.weight", "fc.bias"]


def measured(network, objective, probe_set, scope="all", stages=()):
    names = [name for name, _ in network.named_parameters()]
    settings = ProbeSettings(seed=0, scope=scope, all_parameter_names=names)
    return [
        found.value for found in Prober(network, objective, probe_set, settings, stages).measure(1, ["gradient_norm"])
    ]


def by_autograd(network, points, names):
    """Norm and loss in double precision, over all points at once."""
    network = copy.deepcopy(network).double().eval()
    parameters = [parameter.requires_grad_() for name, parameter in network.named_parameters() if name in names]
    loss = functional.cross_entropy(network(points[0].double()), points[1])
    gradients = torch.autograd.grad(loss, parameters)
    return [math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients)), float(loss.detach())]


def test_norm_and_loss_are_those_of_all_points_at_once_whatever_the_batches(network, objective, points):
    expected = by_autograd(network, points, [name for name, _ in network.named_parameters()])
    for batch_size in (5, 13):
        found = measured(network, objective, ProbeSet.split(*points, batch_size))
        assert found == pytest.approx(expected, rel=1e-5)


def test_of_the_head_alone_it_comes_from_the_features_that_are_kept(
    network, objective, points, probe_set, only_head_trainable
):
    only_head_trainable(network)
    network.forwards = 0
    found = measured(network, objective, probe_set, scope="trainable")
    # Two examples and one for a look at the logits, and two and twice one at the losses.
    assert network.forwards == 2 + 3 + len(probe_set.batches)
    assert found == pytest.approx(by_autograd(network, points, HEAD), rel=1e-5)


def test_a_parameter_that_the_loss_does_not_depend_on_adds_nothing(network, objective, probe_set):
    before = measured(network, objective, probe_set)
    network.unused = torch.nn.Parameter(torch.ones(3))
    assert measured(network, objective, probe_set) == pytest.approx(before, rel=1e-6)


def test_it_has_no_errors_and_its_loss_follows_it(network, objective, probe_set):
    names = [name for name, _ in network.named_parameters()]
    settings = ProbeSettings(seed=0, scope="all", all_parameter_names=names)
    norm, loss = Prober(network, objective, probe_set, settings).measure(1, ["gradient_norm"])
    assert (norm.key, loss.key) == ("probe/gradient_norm", "probe/loss")
    assert norm.standard_error is norm.change_standard_error is norm.span_standard_error is None
