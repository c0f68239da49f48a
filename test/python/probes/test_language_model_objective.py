"""A causal language model under the probes, against float64 loops over sequences, on tiny models made from configs."""

from __future__ import annotations

import copy
import itertools
import warnings

import peft
import pytest
import torch
from torch import Tensor, nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from thawline.errors import UserError
from thawline.probes import CausalLanguageModelObjective, Prober, ProbeSet, ProbeSettings
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.fisher import fisher_trace_by_batch, fisher_trace_per_example
from thawline.probes.label_source import LabelSource
from thawline.probes.labels import importance_sample_labels
from thawline.probes.noise import label_signs, label_uniforms
from thawline.probes.scope import measuring, resolve_scope

VOCABULARY = 13
LENGTHS, PROMPTS = [8, 3, 6, 5], [2, 1, 4, 1]

pytestmark = pytest.mark.filterwarnings("ignore:.*differentiated example by example")


def llama() -> nn.Module:
    sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(
        LlamaConfig(vocab_size=VOCABULARY, num_key_value_heads=1, tie_word_embeddings=False, **sizes)
    )


def gpt2() -> nn.Module:
    """With dropout, and with the weights of the input as those of the output."""
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_embd=8, n_layer=2, n_head=2, n_positions=32))


def adapted() -> nn.Module:
    lora = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    return peft.get_peft_model(llama(), lora)


MODELS = {"llama": llama, "gpt2": gpt2, "llama with LoRA": adapted}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    return build(request.param)


def build(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        made = MODELS[name]()
        with torch.no_grad():  # Larger than at the start, so that no softmax is flat.
            for parameter in made.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return made


def sequences(padding: int = 0, *, left: bool = False, repeats: int = 1) -> dict[str, Tensor]:
    """One of each length, its prompt masked; `padding` more tokens than the longest needs."""
    generator = torch.Generator().manual_seed(1)
    width = max(LENGTHS) + padding
    batch = {"input_ids": [], "attention_mask": [], "labels": []}
    for length, prompt in zip(LENGTHS, PROMPTS, strict=True):
        ids = torch.randint(3, VOCABULARY, (length,), generator=generator)
        labels = ids.masked_fill(torch.arange(length) < prompt, -100)
        ends = (width - length, 0) if left else (0, width - length)
        for name, row, value in (("input_ids", ids, 0), ("attention_mask", ids * 0 + 1, 0), ("labels", labels, -100)):
            batch[name].append(nn.functional.pad(row, ends, value=value))
    return {name: torch.stack(rows).repeat(repeats, 1) for name, rows in batch.items()}


def alone(batch: dict[str, Tensor], example: int) -> dict[str, Tensor]:
    """One sequence without its padding."""
    real = batch["attention_mask"][example] == 1
    return {name: tensor[example : example + 1, real] for name, tensor in batch.items()}


def fisher(model: nn.Module, batch: dict[str, Tensor], labels: str = "sampled", seed: int = 0) -> Tensor:
    objective, probe_set = CausalLanguageModelObjective(), ProbeSet([batch])
    scope = resolve_scope(model, "trainable")
    source = LabelSource(labels, seed, sum(probe_set.sizes))
    with measuring(model, scope):
        gradients = ExampleGradients(model, objective, scope, [batch])
        found = fisher_trace_per_example(model, objective, probe_set, gradients, source, lambda: None)
    return found.squared_norms


def terms(labels: str, rows: Tensor, truth: Tensor, seed: int, example: int) -> list[list[tuple[int, int, float]]]:
    """The backward passes of one unpadded sequence: (position, label, factor) of what each of them adds up.

    `rows` are the logits of positions whose next token is in `truth`; -100 does not count.
    """
    counted = [position for position, label in enumerate(truth.tolist()) if label != -100]
    p = rows.softmax(dim=-1)
    if labels == "exact":
        return [[(t, c, float(p[t, c]) ** 0.5)] for t in counted for c in range(VOCABULARY)]
    if labels in ("true", "argmax"):
        return [[(t, int(truth[t] if labels == "true" else rows[t].argmax()), 1.0) for t in counted]]
    added = []
    for t in counted:
        uniform = label_uniforms(seed, len(LENGTHS), t)[example].view(1)
        label, weight = importance_sample_labels(rows[t : t + 1], uniform)
        added.append((t, int(label), float(weight) ** 0.5 * float(label_signs(seed, len(LENGTHS), t)[example])))
    return [added]


def fisher_by_loop(model: nn.Module, batch: dict[str, Tensor], labels: str, seed: int = 0) -> Tensor:
    """||grad log p(y|x)||^2 of each sequence alone and unpadded, by autograd in float64."""
    model, values = copy.deepcopy(model).double().eval(), []
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for example in range(len(batch["input_ids"])):
        part = alone(batch, example)
        rows = model(input_ids=part["input_ids"]).logits[0, :-1]
        log_p, value = torch.log_softmax(rows, dim=-1), 0.0
        for added in terms(labels, rows.detach(), part["labels"][0, 1:], seed, example):
            target = sum(factor * log_p[t, label] for t, label, factor in added)
            found = torch.autograd.grad(target, parameters, retain_graph=True)
            value += sum(float(gradient.square().sum()) for gradient in found)
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("labels", ["sampled", "exact", "argmax", "true"])
def test_squared_norms_agree_with_a_double_precision_loop_over_sequences(model: nn.Module, labels: str) -> None:
    batch = sequences(padding=2)
    torch.testing.assert_close(fisher(model, batch, labels), fisher_by_loop(model, batch, labels), rtol=1e-4, atol=0)


def test_exact_labels_are_the_mean_over_all_continuations() -> None:
    """13 * 13 pairs of labels at two positions, each by its own probability and with the gradient of their sum."""
    model = build("llama").double().eval()
    batch = {"input_ids": torch.tensor([[3, 7, 5]]), "labels": torch.tensor([[-100, 7, 5]])}
    log_p = torch.log_softmax(model(input_ids=batch["input_ids"]).logits[0, :2], dim=-1)
    expected = 0.0
    for first, second in itertools.product(range(VOCABULARY), repeat=2):
        target = log_p[0, first] + log_p[1, second]
        found = torch.autograd.grad(target, list(model.parameters()), retain_graph=True)
        expected += float(target.detach().exp()) * sum(float(gradient.square().sum()) for gradient in found)
    assert float(fisher(build("llama"), batch, "exact")) == pytest.approx(expected, rel=1e-4)


def test_sampled_labels_agree_with_exact_ones_within_their_error() -> None:
    model, times = build("llama"), 100
    sampled = fisher(model, sequences(repeats=times)).view(times, len(LENGTHS))
    exact = fisher(model, sequences(), "exact")
    error = (sampled.var(dim=0) / times).sqrt()
    assert bool(((sampled.mean(dim=0) - exact).abs() < 4 * error).all())
    assert bool((error < 0.15 * exact).all())


def test_the_batch_estimator_agrees_with_exact_labels_within_its_error() -> None:
    model, batch = build("llama"), sequences()
    objective, probe_set, scope = CausalLanguageModelObjective(), ProbeSet([batch]), resolve_scope(model, "trainable")
    with measuring(model, scope):
        traces = torch.tensor(
            [
                fisher_trace_by_batch(model, objective, probe_set, scope, LabelSource("sampled", seed, 4), int).trace
                for seed in range(200)
            ]
        )
    error = float(traces.std()) / len(traces) ** 0.5
    assert abs(float(traces.mean() - fisher(model, batch, "exact").mean())) < 4 * error


@pytest.mark.parametrize("left", [False, True])
def test_padding_changes_neither_loss_nor_fisher_trace(left: bool) -> None:
    """On the left too: Llama's positions are relative."""
    model, objective = build("llama").eval(), CausalLanguageModelObjective()
    batches = [sequences(), sequences(5, left=left)]
    (loss, padded_loss), (norms, padded_norms) = (
        [objective.loss(model, batch) for batch in batches],
        [fisher(model, batch, "exact") for batch in batches],
    )
    torch.testing.assert_close(padded_loss, loss, rtol=1e-5, atol=0)
    torch.testing.assert_close(padded_norms, norms, rtol=1e-4, atol=0)


def test_padding_on_the_right_changes_no_draw() -> None:
    model = build("llama")
    torch.testing.assert_close(fisher(model, sequences(5)), fisher(model, sequences()), rtol=1e-4, atol=0)


def test_the_loss_of_a_probe_set_is_that_of_trainers_over_it(model: nn.Module) -> None:
    """The mean over tokens, not over sequences, however the set is cut into batches."""
    batch, model = sequences(1), model.eval()
    parts = [{name: tensor[rows] for name, tensor in batch.items()} for rows in (slice(0, 1), slice(1, 4))]
    objective = CausalLanguageModelObjective().for_probe_set(parts)
    loss = torch.cat([objective.loss(model, part) for part in parts]).mean()
    torch.testing.assert_close(loss.float(), model(**batch).loss, rtol=1e-5, atol=0)


def test_padding_that_has_labels_counts_in_nothing() -> None:
    batch, model = sequences(2), build("llama").eval()
    padding = batch["attention_mask"] == 0
    labelled = batch | {"labels": batch["labels"].masked_fill(padding, 4)}
    objective = CausalLanguageModelObjective()
    assert torch.equal(objective.counted(labelled), objective.counted(batch))
    assert torch.equal(objective.loss(model, labelled), objective.loss(model, batch))


def test_one_line_measures_every_signal(model: nn.Module) -> None:
    batch = sequences(1)
    prober = Prober(
        model, CausalLanguageModelObjective(), ProbeSet([batch]), ProbeSettings(seed=0, draws=2, iterations=2)
    )
    metrics = ["fisher_trace", "sharpness_avg", "sharpness_worst", "hessian_lambda_max", "gradient_norm"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*differentiated example by example")
        found = {each.key: each.value for each in prober.measure(1, metrics)}
    count = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert found["probe/fisher_trace_sum"] == pytest.approx(
        float(fisher_by_loop(model, batch, "sampled").mean()), rel=1e-4
    )
    assert found["probe/fisher_trace"] == pytest.approx(found["probe/fisher_trace_sum"] / count)
    assert found["probe/loss"] == pytest.approx(float(model.eval()(**batch).loss.detach()), rel=1e-5)
    assert found["probe/sharpness_worst"] > 0
    assert found["probe/hessian_lambda_max"] > 0


def refused(model: nn.Module, batch: object, **settings: object) -> UserError:
    with pytest.raises(UserError) as caught:
        Prober(model, CausalLanguageModelObjective(), ProbeSet([batch]), ProbeSettings(seed=0, **settings)).measure(1)
    assert caught.value.hint
    return caught.value


def test_what_has_no_meaning_is_refused() -> None:
    batch = sequences()
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    assert "needs `input_ids` and `labels`, got input_ids, attention_mask" in str(refused(build("llama"), inputs))
    assert "needs `input_ids` and `labels`, got tuple" in str(refused(build("llama"), tuple(batch.values())))
    of_others = batch | {"labels": batch["labels"][:, 1:]}
    assert "`labels` are [4, 7], and `input_ids` [4, 8]" in str(refused(build("llama"), of_others))
    prompt_only = batch | {"labels": batch["labels"].masked_fill(torch.arange(4)[:, None] == 2, -100)}
    assert "sequence 2 of batch 0 has no token to predict" in str(refused(build("llama"), prompt_only))
    beyond = batch | {"labels": batch["labels"].where(batch["labels"] < 0, VOCABULARY)}
    assert "there is a label 13, and the classes are 0 to 12" in str(refused(build("llama"), beyond))


def test_a_pass_for_every_label_of_every_position_is_refused_where_it_would_take_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("thawline.probes.label_source.MOST_PASSES", 60)
    refusal = refused(build("llama"), sequences(), labels="exact")
    assert "a backward pass for each of 13 labels at each of 7 positions" in str(refusal)


def test_an_encoder_with_a_decoder_is_refused() -> None:
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    model = T5ForConditionalGeneration(T5Config(vocab_size=VOCABULARY, decoder_start_token_id=0, **sizes))
    assert "has an encoder and a decoder" in str(refused(model, sequences()))


def test_a_model_whose_logits_have_other_positions_than_the_labels_is_refused() -> None:
    class Prompted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, VOCABULARY)

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            return self.embedding(nn.functional.pad(input_ids, (3, 0)))

    assert "the logits are [2, 11, 13], and the labels ask for [2, 8, classes]" in str(refused(Prompted(), sequences()))
