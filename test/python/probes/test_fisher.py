import copy
import math

import pytest
import torch
from torch import nn

from thawline.errors import UserError
from thawline.probes import ClassificationObjective, ProbeSet
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.fisher import fisher_trace_by_batch, fisher_trace_of_head, fisher_trace_per_example
from thawline.probes.head_features import head_features
from thawline.probes.label_source import LabelSource
from thawline.probes.scope import measuring, resolve_scope

HEAD = ["fc.weight", "fc.bias"]
UPPER_HALF = [*HEAD, "hidden.weight", "hidden.bias", "conv.weight", "conv.bias", "bn2.weight", "bn2.bias"]


def no_poll():
    pass


def trace(network, objective, probe_set, names, labels, seed=0, estimator="per_example"):
    scope = resolve_scope(network, "all", names)
    source = LabelSource(labels, seed, sum(probe_set.sizes))
    with measuring(network, scope):
        if estimator == "batch":
            return fisher_trace_by_batch(network, objective, probe_set, scope, source, no_poll)
        if estimator == "head":
            features = head_features(network, objective, probe_set, scope, no_poll)
            return fisher_trace_of_head(features, probe_set, labels)
        example_gradients = ExampleGradients(network, objective, scope, probe_set.batches)
        return fisher_trace_per_example(network, objective, probe_set, example_gradients, source, no_poll)


def all_names(network):
    return [name for name, _ in network.named_parameters()]


def reference_norms(network, names, inputs, label_weights):
    """sum_y label_weights(p)[y] ||grad log p(y|x)||^2 of each point, by a float64 autograd loop; [points]."""
    network = copy.deepcopy(network).double().eval()
    parameters = [parameter for name, parameter in network.named_parameters() if name in names]
    values = []
    for image in inputs.double():
        log_probabilities = torch.log_softmax(network(image.unsqueeze(0))[0], dim=0)
        value = 0.0
        for label, weight in enumerate(label_weights(log_probabilities.detach().exp())):
            if weight:
                gradients = torch.autograd.grad(log_probabilities[label], parameters, retain_graph=True)
                value += weight * sum(float(gradient.square().sum()) for gradient in gradients)
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("scope", ["all", "upper half", "head"])
def test_exact_labels_agree_with_a_double_precision_loop(network, probe_set, points, objective, scope):
    names = {"all": all_names(network), "upper half": UPPER_HALF, "head": HEAD}[scope]
    found = trace(network, objective, probe_set, names, "exact")
    expected = reference_norms(network, names, points[0], lambda p: p.tolist())
    torch.testing.assert_close(found.squared_norms, expected, rtol=1e-4, atol=0)
    assert found.trace == pytest.approx(float(expected.mean()), rel=1e-5)


@pytest.mark.parametrize("estimator", ["per_example", "head"])
@pytest.mark.parametrize("labels", ["argmax", "true"])
def test_other_labels_agree_with_a_double_precision_loop(network, probe_set, points, objective, labels, estimator):
    truth = iter(points[1].tolist())

    def weights(p):
        label = int(p.argmax()) if labels == "argmax" else next(truth)
        return [1.0 if c == label else 0.0 for c in range(len(p))]

    names = all_names(network) if estimator == "per_example" else HEAD
    expected = reference_norms(network, names, points[0], weights)
    found = trace(network, objective, probe_set, names, labels, estimator=estimator)
    torch.testing.assert_close(found.squared_norms, expected, rtol=1e-4, atol=0)


def test_the_closed_form_of_the_head_agrees_with_the_general_path(network, probe_set, objective):
    general = trace(network, objective, probe_set, HEAD, "exact")
    closed = trace(network, objective, probe_set, HEAD, "sampled", estimator="head")
    torch.testing.assert_close(closed.squared_norms, general.squared_norms, rtol=1e-5, atol=0)
    torch.testing.assert_close(closed.label_uncertainty, general.label_uncertainty)
    torch.testing.assert_close(closed.feature_norms_squared, general.feature_norms_squared)
    by_hand = closed.label_uncertainty * (closed.feature_norms_squared + 1)
    torch.testing.assert_close(closed.squared_norms, by_hand)


def test_a_head_without_bias_has_no_plus_one(network, probe_set, objective):
    network.fc = nn.Linear(7, 5, bias=False)
    closed = trace(network, objective, probe_set, ["fc.weight"], "sampled", estimator="head")
    torch.testing.assert_close(closed.squared_norms, closed.label_uncertainty * closed.feature_norms_squared)


def repeated(points, times):
    return ProbeSet([(points[0].repeat(times, 1, 1, 1), points[1].repeat(times))])


def test_sampled_labels_agree_with_exact_ones_within_their_error(network, points, objective):
    """600 labels for each of the 13 points; the spread over labels of one point is the only randomness."""
    times = 600
    sampled = trace(network, objective, repeated(points, times), all_names(network), "sampled").squared_norms
    exact = trace(network, objective, repeated(points, 1), all_names(network), "exact").squared_norms
    by_point = sampled.view(times, len(exact))
    error = float(by_point.var(dim=0).sum().sqrt()) / math.sqrt(times) / len(exact)
    assert abs(float(by_point.mean()) - float(exact.mean())) < 4 * error
    assert error < 0.05 * float(exact.mean())


def test_the_batch_identity_has_the_same_mean(network, points, objective):
    exact = trace(network, objective, repeated(points, 1), HEAD, "exact").trace
    small = ProbeSet.split(*points, batch_size=7)
    values = torch.tensor(
        [trace(network, objective, small, HEAD, "sampled", seed, "batch").trace for seed in range(250)]
    )
    assert abs(float(values.mean()) - exact) < 4 * float(values.std()) / math.sqrt(len(values))


def test_the_batch_identity_is_the_squared_norm_of_the_mean_gradient(network, points, objective):
    found = trace(network, objective, ProbeSet([points]), HEAD, "true", estimator="batch")
    network.eval()
    loss = objective.loss(network, points).mean()
    gradients = torch.autograd.grad(loss, list(network.fc.parameters()))
    assert found.trace == pytest.approx(13 * sum(float(g.square().sum()) for g in gradients), rel=1e-5)
    assert found.squared_norms is None


def test_labels_do_not_depend_on_how_the_points_are_split(network, points, objective):
    one = trace(network, objective, ProbeSet([points]), HEAD, "sampled").squared_norms
    many = trace(network, objective, ProbeSet.split(*points, batch_size=2), HEAD, "sampled").squared_norms
    torch.testing.assert_close(one, many)


class TwoSoftmaxes(ClassificationObjective):
    """The first three and the last two logits as independent softmaxes over the same features."""

    def logits(self, model, batch):
        (logits,) = super().logits(model, batch)
        return list(logits.split([3, 2], dim=-1))


def test_independent_softmaxes_add_up_and_their_cross_terms_vanish(network, points):
    objective, times = TwoSoftmaxes(), 600
    exact = trace(network, objective, repeated(points, 1), all_names(network), "exact").squared_norms
    reference = copy.deepcopy(network).double().eval()
    for index, image in enumerate(points[0][:3].double()):
        start, end = reference(image.unsqueeze(0))[0].split([3, 2])
        start, end = torch.log_softmax(start, 0), torch.log_softmax(end, 0)
        joint = 0.0
        for a in range(3):
            for b in range(2):
                gradients = torch.autograd.grad(start[a] + end[b], list(reference.parameters()), retain_graph=True)
                joint += float((start[a] + end[b]).detach().exp()) * sum(float(g.square().sum()) for g in gradients)
        assert float(exact[index]) == pytest.approx(joint, rel=1e-4)
    sampled = trace(network, objective, repeated(points, times), all_names(network), "sampled").squared_norms
    by_point = sampled.view(times, len(exact))
    error = float(by_point.var(dim=0).sum().sqrt()) / math.sqrt(times) / len(exact)
    assert abs(float(by_point.mean()) - float(exact.mean())) < 4 * error


class LogitsAndLoss:
    """An objective with the two required methods only."""

    def logits(self, model, batch):
        return [model(batch)]

    def loss(self, model, batch):
        return model(batch).logsumexp(dim=-1)


def test_an_objective_of_two_methods_suffices_unless_true_labels_are_asked_for(network, points):
    probe_set = ProbeSet([points[0]])
    found = trace(network, LogitsAndLoss(), probe_set, HEAD, "sampled")
    expected = trace(network, ClassificationObjective(), ProbeSet([points]), HEAD, "sampled")
    assert torch.equal(found.squared_norms, expected.squared_norms)
    assert found.feature_norms_squared is None
    with pytest.raises(UserError, match="the objective has no labels"):
        trace(network, LogitsAndLoss(), probe_set, HEAD, "true")
