"""Question answering and sequence classification under the probes, on an encoder of two layers with LoRA."""

import copy
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_encoder import build_seeded, move_adapters, save_xlm_roberta, token_batch
from torch.nn import functional

from thawline.models.text import Encoder
from thawline.probes import LabelledObjective, LinearHeadObjective, Prober, ProbeSet, ProbeSettings
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.fisher import fisher_trace_per_example
from thawline.probes.label_source import LabelSource
from thawline.probes.labels import importance_sample_labels
from thawline.probes.noise import label_signs, label_uniforms
from thawline.probes.objective import slice_batch
from thawline.probes.scope import measuring, resolve_scope
from thawline.probes.text_objective import QuestionAnsweringObjective, SequenceClassificationObjective
from thawline.steering.freezing import apply_trainable

TASKS = ["question_answering", "sequence_classification"]
LENGTHS = [5, 9, 3, 7, 6]


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Encoder]:
    folder = save_xlm_roberta(tmp_path_factory.mktemp("xlm_roberta"))
    encoders = {
        "question_answering": build_seeded("question_answering", folder),
        "sequence_classification": build_seeded("sequence_classification", folder, num_labels=3),
    }
    for encoder in encoders.values():
        move_adapters(encoder.model)
    return encoders


def objective_of(task, encoder):
    if task == "question_answering":
        return QuestionAnsweringObjective()
    return SequenceClassificationObjective(encoder.logits_layer)


def trained_names(encoder, part=""):
    blocks = (encoder.block_map.head, *encoder.block_map.blocks)
    return [name for block in blocks for name in block.parameter_names if part in name]


def fisher(encoder, task, batch, names, labels="sampled", seed=0):
    objective, probe_set = objective_of(task, encoder), ProbeSet([batch])
    scope = resolve_scope(encoder.model, "all", names)
    source = LabelSource(labels, seed, sum(probe_set.sizes))
    with measuring(encoder.model, scope):
        gradients = ExampleGradients(encoder.model, objective, scope, [batch])
        return fisher_trace_per_example(encoder.model, objective, probe_set, gradients, source, lambda: None)


def one_without_padding(batch, example):
    length = int(batch["attention_mask"][example].sum())
    part = slice_batch(batch, example, example + 1)
    return {key: value[:, :length] if value.dim() == 2 else value for key, value in part.items()}


def passes_of(labels, logits, truth, source, example):
    """The backward passes of one example: each a list of (softmax, label, factor) of what is added up in it."""
    if labels == "exact":
        probabilities = [torch.softmax(out, 0) for out in logits]
        return [[(s, c, float(p).__pow__(0.5))] for s, each in enumerate(probabilities) for c, p in enumerate(each)]
    if labels in ("true", "argmax"):
        chosen = truth if labels == "true" else [int(out.argmax()) for out in logits]
        return [[(s, label, 1.0) for s, label in enumerate(chosen)]]
    added = []
    for s, out in enumerate(logits):
        uniform = label_uniforms(source.seed, source.points, s)[example].view(1)
        label, weight = importance_sample_labels(out.unsqueeze(0), uniform)
        added.append((s, int(label), float(weight) ** 0.5 * float(label_signs(source.seed, source.points, s)[example])))
    return [added]


def fisher_by_loop(encoder, task, batch, names, labels, seed=0):
    """||grad||^2 of each example alone and unpadded, in float64 by autograd through the whole model."""
    model, objective = copy.deepcopy(encoder.model).double().eval(), objective_of(task, encoder)
    named = dict(model.named_parameters())
    parameters = [named[name].requires_grad_() for name in names]
    examples = len(batch["labels"])
    values = []
    for example in range(examples):
        part = one_without_padding(batch, example)
        logits = [out[0] for out in objective.logits(model, part)]
        truth = [int(label) for label in objective.labels(part)]
        detached = [out.detach() for out in logits]
        passes = passes_of(labels, detached, truth, LabelSource(labels, seed, examples), example)
        value = 0.0
        for added in passes:
            target = sum(factor * torch.log_softmax(logits[s], 0)[label] for s, label, factor in added)
            found = torch.autograd.grad(target, parameters, retain_graph=True, allow_unused=True)
            value += sum(float(gradient.square().sum()) for gradient in found if gradient is not None)
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("labels", ["sampled", "exact", "argmax", "true"])
@pytest.mark.parametrize("task", TASKS)
def test_squared_norms_agree_with_a_double_precision_loop(encoders, task, labels):
    encoder, batch = encoders[task], token_batch(LENGTHS, padding=2)
    names = trained_names(encoder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fisher(encoder, task, batch, names, labels)
    expected = fisher_by_loop(encoder, task, batch, names, labels)
    torch.testing.assert_close(found.squared_norms, expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("block", [0, 1])
def test_squared_norms_of_one_block_alone(encoders, task, block):
    encoder, batch = encoders[task], token_batch(LENGTHS)
    names = list(encoder.block_map.blocks[block].parameter_names)
    found = fisher(encoder, task, batch, names, "exact")
    torch.testing.assert_close(
        found.squared_norms, fisher_by_loop(encoder, task, batch, names, "exact"), rtol=1e-4, atol=0
    )


def test_the_value_of_a_question_is_the_mean_over_pairs_of_start_and_end(encoders):
    """Twice the loss of transformers: its gradient, of the mean of the two, would give a quarter."""
    encoder, batch = encoders["question_answering"], token_batch([4])
    names = trained_names(encoder)
    model = copy.deepcopy(encoder.model).double().eval()
    named = dict(model.named_parameters())
    parameters = [named[name].requires_grad_() for name in names]
    start, end = (torch.log_softmax(out[0], 0) for out in QuestionAnsweringObjective().logits(model, token_batch([4])))
    expected = 0.0
    for a in range(4):
        for b in range(4):
            gradients = torch.autograd.grad(start[a] + end[b], parameters, retain_graph=True)
            expected += float((start[a] + end[b]).detach().exp()) * sum(float(g.square().sum()) for g in gradients)
    assert fisher(encoder, "question_answering", batch, names, "exact").trace == pytest.approx(expected, rel=1e-4)


def test_sampled_answers_agree_with_exact_ones_within_their_error(encoders):
    """300 labels for each question; the spread over labels of one question is the only randomness."""
    encoder, times, lengths = encoders["question_answering"], 300, [3, 6]
    names = trained_names(encoder)
    repeated = {key: value.repeat(times, *[1] * (value.dim() - 1)) for key, value in token_batch(lengths).items()}
    sampled = fisher(encoder, "question_answering", repeated, names).squared_norms.view(times, len(lengths))
    exact = fisher(encoder, "question_answering", token_batch(lengths), names, "exact").squared_norms
    error = (sampled.var(dim=0) / times).sqrt()
    assert bool(((sampled.mean(dim=0) - exact).abs() < 4 * error).all())
    assert bool((error < 0.1 * exact).all())


@pytest.mark.parametrize("task", TASKS)
def test_padding_changes_neither_loss_nor_fisher_trace(encoders, task):
    encoder = encoders[task]
    objective, names = objective_of(task, encoder), trained_names(encoder)
    batches = [token_batch(LENGTHS, padding=padding) for padding in (0, 20, 80)]
    model = encoder.model.eval()
    losses = [objective.loss(model, batch) for batch in batches]
    norms = [fisher(encoder, task, batch, names).squared_norms for batch in batches]
    for index in (1, 2):
        torch.testing.assert_close(losses[index], losses[0], rtol=1e-5, atol=0)
        torch.testing.assert_close(norms[index], norms[0], rtol=1e-4, atol=0)


@given(lengths=st.lists(st.integers(1, 9), min_size=2, max_size=4), padding=st.integers(0, 5))
def test_every_example_is_treated_as_if_it_were_alone(encoders, lengths, padding):
    model, batch = encoders["question_answering"].model.eval(), token_batch(lengths, padding=padding)
    objective = QuestionAnsweringObjective()
    together = objective.loss(model, batch)
    alone = [objective.loss(model, one_without_padding(batch, example)) for example in range(len(lengths))]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)


def test_padding_has_no_probability(encoders):
    batch = token_batch(LENGTHS, padding=4)
    for logits in QuestionAnsweringObjective().logits(encoders["question_answering"].model.eval(), batch):
        assert bool((torch.softmax(logits, dim=-1)[batch["attention_mask"] == 0] == 0).all())
        assert bool(logits[batch["attention_mask"] == 1].isfinite().all())


def test_without_padding_the_losses_are_those_of_transformers(encoders):
    batch = token_batch([6, 6, 6])
    inputs = {key: batch[key] for key in ("input_ids", "attention_mask")}
    model = encoders["question_answering"].model.eval()
    answers = {key: batch[key] for key in ("start_positions", "end_positions")}
    theirs = model(**inputs, **answers).loss
    ours = QuestionAnsweringObjective().loss(model, batch)
    torch.testing.assert_close(ours.mean().float(), theirs, rtol=1e-5, atol=0)
    model = encoders["sequence_classification"].model.eval()
    theirs = model(**inputs, labels=batch["labels"]).loss
    ours = SequenceClassificationObjective().loss(model, batch)
    torch.testing.assert_close(ours.mean().float(), theirs, rtol=1e-5, atol=0)


@pytest.mark.parametrize("task", TASKS)
def test_while_b_is_zero_only_b_has_a_gradient(encoders, task):
    encoder = copy.deepcopy(encoders[task])
    with torch.no_grad():
        for name, parameter in encoder.model.named_parameters():
            if ".lora_B." in name:
                parameter.zero_()
    batch = token_batch(LENGTHS)
    assert fisher(encoder, task, batch, trained_names(encoder, ".lora_A.")).squared_norms.tolist() == [0.0] * 5
    assert bool((fisher(encoder, task, batch, trained_names(encoder, ".lora_B.")).squared_norms > 0).all())


def test_classification_offers_the_layer_of_its_logits_and_its_features(encoders):
    encoder = encoders["sequence_classification"]
    objective = SequenceClassificationObjective(encoder.logits_layer)
    assert isinstance(objective, LinearHeadObjective)
    layer = objective.head(encoder.model)
    features = []
    handle = layer.register_forward_hook(lambda module, inputs, output: features.append(inputs[0]))
    (logits,) = objective.logits(encoder.model.eval(), token_batch(LENGTHS))
    handle.remove()
    assert torch.equal(functional.linear(features[0], layer.weight, layer.bias), logits)


def test_both_objectives_know_the_true_labels():
    batch = token_batch(LENGTHS)
    assert isinstance(QuestionAnsweringObjective(), LabelledObjective)
    start, end = QuestionAnsweringObjective().labels(batch)
    assert start is batch["start_positions"]
    assert end is batch["end_positions"]
    assert SequenceClassificationObjective().labels(batch) == [batch["labels"]]


def prober(encoder, task, probe_set, *, stages=(), **settings):
    names = trained_names(encoder)
    chosen = ProbeSettings(seed=3, all_parameter_names=names, draws=2, iterations=3, **settings)
    return Prober(encoder.model, objective_of(task, encoder), probe_set, chosen, stages)


def measured(made, update=1):
    return {found.key: found.value for found in made.measure(update)}


@pytest.mark.parametrize("task", TASKS)
def test_probes_measure_without_dropout_and_leave_the_training_alone(encoders, task):
    encoder = encoders[task]
    apply_trainable(encoder.model, encoder.block_map, ["head", "layer1"])
    encoder.model.train()
    random_state, before = torch.get_rng_state(), copy.deepcopy(encoder.model.state_dict())
    made = prober(encoder, task, ProbeSet([token_batch([4, 9]), token_batch([7, 2, 3], seed=1)]))
    first = measured(made)
    assert measured(made) == first
    assert first["probe/fisher_trace"] > 0
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.model.state_dict().items())
    assert all(module.training for module in encoder.model.modules())


@pytest.mark.parametrize("task", TASKS)
def test_the_last_iterate_of_the_worst_case_is_a_signal_too(encoders, task):
    """The best loss found is never below the clean one; the last one may be, as in the paper's figures."""
    encoder, probe_set = encoders[task], ProbeSet([token_batch(LENGTHS)])
    apply_trainable(encoder.model, encoder.block_map, ["head", "layer1"])
    best = measured(prober(encoder, task, probe_set, search="apgd"))
    last = measured(prober(encoder, task, probe_set, search="apgd", worst_value="last"))
    assert best["probe/sharpness_worst"] >= max(0.0, last["probe/sharpness_worst"])
    assert last["probe/sharpness_worst"] == best["probe/sharpness_worst_last"]


@pytest.mark.parametrize("trainable", [["head"], ["head", "layer1"]])
@pytest.mark.parametrize("task", TASKS)
def test_stages_let_the_frozen_layers_run_once(encoders, task, trainable):
    encoder = encoders[task]
    apply_trainable(encoder.model, encoder.block_map, trainable)
    probe_set = ProbeSet([token_batch([4, 9]), token_batch([7, 2, 3], seed=1)])
    expected = measured(prober(encoder, task, probe_set))
    made = prober(encoder, task, probe_set, stages=encoder.stages)
    made.check()
    calls = []
    lowest = encoder.model.get_submodule(encoder.stages[0]).attention.self.query
    handle = lowest.register_forward_hook(lambda module, inputs, output: calls.append(len(output)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measured(made) == expected
        runs = len(calls)
        assert measured(made, 10) == expected
    handle.remove()
    assert sorted(calls[:runs]) == [1, 1, 2, 3], "the two batches, and the two examples on which rules are checked"
    assert len(calls) == runs, "none at the next boundary"
