"""Labels that do not exclude each other, against an enumeration of all of them in float64."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from tiny_encoder import SIZES, VOCABULARY, token_batch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertForSequenceClassification

from thawline.errors import UserError
from thawline.probes import (
    BinaryObjective,
    ClassificationObjective,
    MultiLabelObjective,
    Prober,
    ProbeSet,
    ProbeSettings,
)
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.fisher import fisher_trace_per_example
from thawline.probes.label_source import LabelSource
from thawline.probes.scope import measuring, resolve_scope
from thawline.probes.text_objective import MultiLabelSequenceClassificationObjective

EXAMPLES, LABELS = 5, 3
INPUTS = torch.randn(EXAMPLES, 6, generator=torch.Generator().manual_seed(0))
TARGETS = (torch.rand(EXAMPLES, LABELS, generator=torch.Generator().manual_seed(1)) < 0.4).float()


def network(labels: int = LABELS) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, labels))


def fisher(model: nn.Module, objective: MultiLabelObjective, batch: object, labels: str, seed: int = 0) -> Tensor:
    probe_set, scope = ProbeSet([batch]), resolve_scope(model, "trainable")
    source = LabelSource(labels, seed, sum(probe_set.sizes))
    with measuring(model, scope):
        gradients = ExampleGradients(model, objective, scope, [batch])
        return fisher_trace_per_example(model, objective, probe_set, gradients, source, lambda: None).squared_norms


def log_probabilities(logits: Tensor, values: Tensor) -> Tensor:
    return -functional.binary_cross_entropy_with_logits(logits, values, reduction="none").sum(dim=-1)


def squared_norm(model: nn.Module, example: int, values: Tensor) -> float:
    log_p = log_probabilities(model(INPUTS[example : example + 1].double()), values.view(1, -1))
    return sum(
        float(gradient.square().sum()) for gradient in torch.autograd.grad(log_p.sum(), list(model.parameters()))
    )


def fisher_by_enumeration(model: nn.Module) -> Tensor:
    """sum over y of p(y|x) ||grad log p(y|x)||^2 for every y in {0, 1}^labels, in float64."""
    model = copy.deepcopy(model).double()
    values = []
    for example in range(EXAMPLES):
        logits = model(INPUTS[example].double()).detach()
        value = 0.0
        for y in itertools.product([0.0, 1.0], repeat=logits.numel()):
            labels = torch.tensor(y, dtype=torch.float64)
            value += float(log_probabilities(logits, labels).exp()) * squared_norm(model, example, labels)
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


def test_exact_labels_agree_with_an_enumeration_of_all_of_them() -> None:
    found = fisher(network(), MultiLabelObjective(), (INPUTS, TARGETS), "exact")
    torch.testing.assert_close(found, fisher_by_enumeration(network()), rtol=1e-4, atol=0)


@pytest.mark.parametrize("shape", [(EXAMPLES,), (EXAMPLES, 1)])
@pytest.mark.parametrize("flat", [False, True])
def test_one_logit_is_a_label_of_two_values(shape: tuple[int, ...], flat: bool) -> None:
    model = nn.Sequential(*network(1), *([nn.Flatten(0)] if flat else []))
    batch = (INPUTS, TARGETS[:, 0].reshape(shape).long())
    for labels in ("exact", "sampled"):  # With one label the weights leave nothing to chance.
        found = fisher(model, BinaryObjective(), batch, labels)
        torch.testing.assert_close(found, fisher_by_enumeration(network(1)), rtol=1e-4, atol=0)


def test_one_logit_is_what_two_of_a_softmax_were() -> None:
    class Two(ClassificationObjective):
        def logits(self, model: nn.Module, batch: object) -> list[Tensor]:
            (z,) = super().logits(model, batch)
            return [torch.cat([torch.zeros_like(z), z], dim=1)]

    batch, settings = (INPUTS, TARGETS[:, 0].long()), ProbeSettings(seed=0)
    one, two = (
        Prober(network(1), objective, ProbeSet([batch]), settings).measure(1)
        for objective in (BinaryObjective(), Two())
    )
    for first, second in zip(one, two, strict=True):
        assert (first.key, first.value) == (second.key, pytest.approx(second.value, rel=1e-5))


def test_sampled_labels_agree_with_exact_ones_within_their_error() -> None:
    times, model = 400, network()
    batch = (INPUTS.repeat(times, 1), TARGETS.repeat(times, 1))
    sampled = fisher(model, MultiLabelObjective(), batch, "sampled").view(times, EXAMPLES)
    error = (sampled.var(dim=0) / times).sqrt()
    exact = fisher_by_enumeration(model)
    assert bool(((sampled.mean(dim=0) - exact).abs() < 4 * error).all())
    assert bool((error < 0.1 * exact).all())


@pytest.mark.parametrize("labels", ["true", "argmax"])
def test_chosen_labels_are_what_they_are_called(labels: str) -> None:
    model = copy.deepcopy(network()).double()
    chosen = TARGETS if labels == "true" else (network()(INPUTS).detach() > 0).float()
    expected = [squared_norm(model, example, chosen[example].double()) for example in range(EXAMPLES)]
    found = fisher(network(), MultiLabelObjective(), (INPUTS, TARGETS), labels)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-4, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_the_loss_is_that_of_pytorch_for_labels_of_any_type(dtype: torch.dtype) -> None:
    loss = MultiLabelObjective().loss(network(), (INPUTS, TARGETS.to(dtype))).mean()
    expected = nn.BCEWithLogitsLoss()(network()(INPUTS).double(), TARGETS.double())
    torch.testing.assert_close(loss, expected)


def test_a_model_of_transformers_for_several_labels() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=VOCABULARY, **SIZES, num_labels=LABELS, problem_type="multi_label_classification"
        )
        model = BertForSequenceClassification(config).eval()
    batch = token_batch([4, 6, 3, 5, 2]) | {"labels": TARGETS}
    with pytest.raises(UserError, match="must be a pair"):
        Prober(model, MultiLabelObjective(), ProbeSet([batch]), ProbeSettings(seed=0))
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
    objective = MultiLabelSequenceClassificationObjective()
    torch.testing.assert_close(objective.loss(model, batch).mean().float(), model(**inputs).loss, rtol=1e-5, atol=0)
    for parameter in model.bert.parameters():
        parameter.requires_grad_(False)
    found = Prober(model, objective, ProbeSet([batch]), ProbeSettings(seed=0)).measure(1)
    assert all(measurement.value == measurement.value for measurement in found)
    assert found[0].value > 0


@pytest.mark.parametrize("labels", ["sampled", "exact", "true", "argmax"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("number", [1, LABELS])
def test_a_linear_head_alone_has_closed_forms(number: int, bias: bool, labels: str) -> None:
    """All signals on kept features, without a further forward pass, as through the network."""
    model = network(number)
    if not bias:
        model[2].register_parameter("bias", None)
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    batch = (INPUTS, TARGETS[:, :number])
    kind = MultiLabelObjective if number > 1 else BinaryObjective
    metrics = ["fisher_trace", "sharpness_avg", "sharpness_worst", "hessian_lambda_max", "gradient_norm"]
    # Through the network `sampled` is random, and the closed form is the mean over labels.
    general, closed = (
        Prober(model, kind(name), ProbeSet([batch]), ProbeSettings(seed=0, labels=asked))
        for name, asked in ((None, "exact" if labels == "sampled" else labels), ("2", labels))
    )
    expected = {each.key: each.value for each in general.measure(1, metrics)}
    found = {each.key: each.value for each in closed.measure(1, metrics)}
    assert found.pop("probe/feature_norm_squared") > 0
    assert found == {key: pytest.approx(value, rel=1e-4, abs=1e-9) for key, value in expected.items()}
    calls: list[int] = []
    handle = model.register_forward_hook(lambda *_: calls.append(1))
    closed.measure(10, metrics)
    handle.remove()
    assert calls == []


REFUSED = {
    "one class": (MultiLabelObjective(), TARGETS[:, 0], r"the labels are \[5\], and \[examples, labels\] are expected"),
    "soft labels": (MultiLabelObjective(), TARGETS * 0.9 + 0.05, "there is a label 0.05, and each must be 0 or 1"),
    "no label": (MultiLabelObjective(), TARGETS - 1, "there is a label -1, and each must be 0 or 1"),
    "two labels": (MultiLabelObjective(), TARGETS[:, :2], r"logits are \[2, 3, 2\], and the labels ask for \[2, 2, cl"),
    "three logits": (
        BinaryObjective(),
        TARGETS[:, 0],
        r"the logits are \[2, 3, 2\], and the labels ask for \[2, 1, cl",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused(name: str) -> None:
    objective, labels, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence) as caught:
        Prober(network(), objective, ProbeSet([(INPUTS, labels)]), ProbeSettings(seed=0)).measure(1)
    assert caught.value.hint
    assert caught.value.code.startswith("probe_")
