"""The parts of a run on text, from its configuration."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from text_examples import build_tokenizer
from text_training import text_run_config, train, weights_of
from tiny_encoder import move_adapters, save_bert, xlm_roberta_config
from torch import nn
from transformers import XLMRobertaForSequenceClassification
from transformers.models.bert.modeling_bert import BertEmbeddings

from thawline.config.run import TextRunConfig, parse_config
from thawline.data.text.encoded_pairs import EncodedPairs
from thawline.data.text.records import PAIR_LABELS, PairLabel
from thawline.errors import UserError
from thawline.evaluation.text.predictions import Batching
from thawline.evaluation.text.scored_sets import ScoredPairs
from thawline.probes import LayeredHeadObjective, LinearHeadObjective
from thawline.probes.text_objective import QuestionAnsweringObjective
from thawline.steering.freezing import apply_trainable
from thawline.trainers.text_parts import TextParts, build_model, build_parts, build_prober
from thawline.wire.protocol import Boundary, Checkpointed, Kept, Log, Ready

pytestmark = pytest.mark.usefixtures("torch_settings", "text_cache")

IA3 = {"method": "ia3", "targets": ["key", "output.dense"], "options": {"feedforward_modules": r".*output\.dense"}}
LOHA = {"method": "loha", "targets": ["query"], "options": {"r": 2}}


def parsed(encoder: str, data: dict[str, Any], **sections: Any) -> TextRunConfig:
    """`model` is laid over the section of that name, like the others."""
    config = parse_config(text_run_config(encoder, data, **sections))
    assert isinstance(config, TextRunConfig)
    return config


def parts_of(config: TextRunConfig) -> TextParts:
    return build_parts(config, torch.device("cpu"))


def vector(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters())


def test_new_weights_depend_on_the_seed_alone(encoder: str, pairs: dict[str, Any]) -> None:
    torch.manual_seed(1)
    first = vector(build_model(parsed(encoder, pairs)).model)
    state = torch.get_rng_state()
    assert torch.equal(vector(build_model(parsed(encoder, pairs)).model), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(vector(build_model(parsed(encoder, pairs, seed=1)).model), first)


def test_what_trains_is_blocks_and_head(encoder: str, questions: dict[str, Any]) -> None:
    parts = parts_of(parsed(encoder, questions))
    assert {name for name, parameter in parts.model.named_parameters() if parameter.requires_grad} == parts.trained
    assert sum(dict(parts.model.named_parameters())[name].numel() for name in parts.trained) == 34 + 256


def test_the_objective_is_that_of_the_data(encoder: str, questions: dict[str, Any], pairs: dict[str, Any]) -> None:
    assert isinstance(parts_of(parsed(encoder, questions)).objective, QuestionAnsweringObjective)
    parts = parts_of(parsed(encoder, pairs))
    objective = parts.objective
    assert isinstance(objective, LinearHeadObjective)
    assert isinstance(objective, LayeredHeadObjective)
    head = parts.encoder.model.get_submodule("base_model.model.classifier.modules_to_save.default")
    assert objective.head(parts.encoder.model) is head.out_proj
    assert objective.first_layer(parts.encoder.model) is head.dense
    assert objective.labels({"labels": torch.tensor([2])})[0].tolist() == [2]


def save_classifier(folder: Path, names: list[str]) -> str:
    """A head that came with the checkpoint, and whose first output is always the largest."""
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    config = xlm_roberta_config(vocab_size=len(tokenizer), id2label=dict(enumerate(names)))
    model = XLMRobertaForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.out_proj.weight.zero_()
        model.classifier.out_proj.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    model.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("names", list(itertools.permutations(PAIR_LABELS)))
def test_labels_are_those_by_which_a_checkpoint_calls_its_outputs(
    tmp_path: Path, pairs: dict[str, Any], names: tuple[PairLabel, ...]
) -> None:
    parts = parts_of(parsed(save_classifier(tmp_path, [name.upper() for name in names]), pairs))
    train, test = parts.task.train, parts.task.tests["in_dist"]
    assert isinstance(train, EncodedPairs)
    assert isinstance(test, ScoredPairs)
    assert parts.label_names == train.label_names == names
    as_new = train.numbered_as(PAIR_LABELS)
    assert [names[label] for label in train.labels] == [PAIR_LABELS[label] for label in as_new.labels]
    share = sum(pair.label == names[0] for pair in test.pairs) / len(test.pairs)
    assert test.score(parts.model, Batching(parts.collation, 4), lambda: False) == {"accuracy": pytest.approx(share)}


def test_outputs_that_a_checkpoint_does_not_name_are_refused(tmp_path: Path, pairs: dict[str, Any]) -> None:
    encoder = save_classifier(tmp_path, ["LABEL_0", "LABEL_1", "LABEL_2"])
    with pytest.raises(UserError, match="the model calls its outputs LABEL_0, LABEL_1, LABEL_2"):
        parts_of(parsed(encoder, pairs))


def test_a_new_head_numbers_labels_as_its_card_says(encoder: str, pairs: dict[str, Any]) -> None:
    assert parts_of(parsed(encoder, pairs)).label_names == PAIR_LABELS


def test_blocks_may_be_named_in_the_configuration(encoder: str, questions: dict[str, Any]) -> None:
    blocks = [{"name": "queries", "pattern": r"\.query\."}, {"name": "values", "pattern": r"\.value\."}]
    block_map = build_model(parsed(encoder, questions, model={"blocks": blocks})).block_map
    assert [block.name for block in block_map.blocks] == ["queries", "values"]


def test_sequences_are_checked_before_any_data_are_read(encoder: str, questions: dict[str, Any]) -> None:
    config = parsed(encoder, questions | {"max_length": 400, "train": "/nowhere"})
    with pytest.raises(UserError, match="has positions for 128 tokens"):
        parts_of(config)


@pytest.mark.parametrize("batch_size", [1, 4, 6])
def test_probe_batches_hold_the_chosen_points_by_length(
    encoder: str, questions: dict[str, Any], batch_size: int
) -> None:
    """How they are cut changes nothing but the last bits."""
    parts = parts_of(parsed(encoder, questions))
    move_adapters(parts.model)
    apply_trainable(parts.model, parts.encoder.block_map, ["head", "layer1"])

    def measured(size: int) -> dict[str, float]:
        config = parsed(encoder, questions, probe={"batch_size": size, "labels": "true"})
        found = build_prober(config, parts).measure(1, ["fisher_trace"])
        return {metric.key: metric.value for metric in found}

    assert measured(batch_size) == pytest.approx(measured(3), rel=1e-5)


def test_the_trace_is_per_parameter_that_is_in_scope(encoder: str, questions: dict[str, Any]) -> None:
    """The head's frozen copy and the encoder's own weights are in no scope."""
    config = parsed(encoder, questions, probe={"labels": "true"})
    parts = parts_of(config)
    move_adapters(parts.model)
    named = dict(parts.model.named_parameters())
    copies = [name for name in named if ".original_module." in name]
    assert copies

    def traces(names: list[str]) -> tuple[float, float]:
        """Per parameter, and all of it."""
        apply_trainable(parts.model, parts.encoder.block_map, names)
        found = {metric.key: metric.value for metric in build_prober(config, parts).measure(1, ["fisher_trace"])}
        in_scope = sum(parameter.numel() for parameter in named.values() if parameter.requires_grad)
        return found["probe/fisher_trace"], found["probe/fisher_trace"] * in_scope

    _, head = traces(["head"])
    _, top = traces(["layer1"])
    per_parameter, together = traces(["head", "layer1"])
    assert together == pytest.approx(head + top, rel=1e-5)
    assert per_parameter == pytest.approx((head + top) / (34 + 128), rel=1e-5)
    with torch.no_grad():
        for name in copies:
            named[name].normal_()
    assert traces(["head", "layer1"])[0] == per_parameter


class Tally:
    """How many forward passes a layer has made; where it is passed over, so are the parts that it is made of."""

    def __init__(self, layer: nn.Module) -> None:
        self.forwards = 0
        part = next(part for name, part in layer.named_modules() if name.endswith("output.dense"))
        part.register_forward_hook(self._count)

    def _count(self, *_: Any) -> None:
        self.forwards += 1


@pytest.mark.parametrize("task", ["questions", "pairs"])
def test_frozen_layers_run_once_for_the_probe_set(encoder: str, task: str, request: pytest.FixtureRequest) -> None:
    config = parsed(encoder, request.getfixturevalue(task), probe={"points": 6, "batch_size": 2})
    parts = parts_of(config)
    apply_trainable(parts.model, parts.encoder.block_map, ["head", "layer1"])
    bottom, top = (Tally(parts.model.get_submodule(parts.encoder.stages[layer])) for layer in (0, 1))
    prober = build_prober(config, parts)
    prober.check()
    bottom.forwards = top.forwards = 0
    draws = config.probe.draws
    for boundary, update in enumerate((1, 10, 20), 1):
        prober.measure(update, ["sharpness_avg"])
        assert bottom.forwards == 3
        assert top.forwards >= 3 * (draws + 1) * boundary


def test_what_does_not_fit_is_told_to_the_controller(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    config = text_run_config(encoder, questions, probe={"cache_gib": 1e-6})
    with pytest.warns(UserWarning, match="probe.cache_gib"):
        channel = train(tmp_path, config, metrics=["sharpness_avg"], probe_every=2)
    (told,) = channel.sent_of(Log)
    assert told.level == "warning"
    assert "more than the 1e-06 GiB of `probe.cache_gib`; raise it, or lower `probe.points`" in told.text


@pytest.mark.parametrize("task", ["questions", "pairs"])
@pytest.mark.parametrize("adapter", [IA3, LOHA], ids=["ia3", "loha"])
@pytest.mark.filterwarnings("ignore:.*have no rule for per-example gradients")
def test_other_adapters_of_peft_train_and_resume_by_configuration(
    tmp_path: Path, encoder: str, task: str, adapter: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    data = request.getfixturevalue(task)
    config = text_run_config(encoder, data, model={"adapter": adapter})
    orders: dict[str, Any] = {"orders": {3: ["keep_best"]}, "end_orders": ["restore_best", "evaluate"]}
    probes: dict[str, Any] = {"metrics": ["fisher_trace"], "probe_every": 3}
    whole = train(tmp_path / "whole", config, **orders, **probes)
    num_params = 16 + 16 + 24 if adapter is IA3 else 4 * 32
    assert [block.num_params for block in whole.sent_of(Ready)[0].blocks] == [num_params] * 2
    assert all(metric.value for body in whole.sent_of(Boundary) for metric in body.metrics)
    assert weights_of(whole) == whole.sent_of(Kept)[0].weights_sha256
    (saved,) = train(tmp_path, config, stop=(5, "operator", True)).sent_of(Checkpointed)
    resumed = train(tmp_path, config, resume_from=saved)
    assert weights_of(resumed) == weights_of(train(tmp_path / "plain", config)) != weights_of(whole)


@pytest.fixture
def seen_segments(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """What each forward pass of a BERT model is told of them."""
    seen: list[set[int]] = []
    forward = BertEmbeddings.forward

    def spy(self: BertEmbeddings, *args: Any, token_type_ids: torch.Tensor | None = None, **kwargs: Any) -> Any:
        seen.append(set() if token_type_ids is None else {*token_type_ids.flatten().tolist()})
        return forward(self, *args, token_type_ids=token_type_ids, **kwargs)

    monkeypatch.setattr(BertEmbeddings, "forward", spy)
    return seen


def bert_folder(folder: Path, **changes: object) -> str:
    tokenizer = build_tokenizer(tells_texts_apart=True)
    tokenizer.save_pretrained(folder)
    return save_bert(folder, pooler=True, vocab_size=len(tokenizer), **changes)


def test_bert_is_told_the_two_texts_of_a_pair_apart_in_training_probes_and_evaluation(
    tmp_path: Path, pairs: dict[str, Any], seen_segments: list[set[int]]
) -> None:
    config = text_run_config(bert_folder(tmp_path), pairs, probe={"cache_gib": 0})
    train(tmp_path / "run", config, metrics=["fisher_trace"], probe_every=2, end_orders=["evaluate"])
    assert len(seen_segments) > 6
    assert all(segments == {0, 1} for segments in seen_segments)


def test_a_bert_of_one_segment_is_told_nothing(
    tmp_path: Path, pairs: dict[str, Any], seen_segments: list[set[int]]
) -> None:
    """An index beyond its embeddings would be an error."""
    train(tmp_path / "run", text_run_config(bert_folder(tmp_path, type_vocab_size=1), pairs), end_orders=["evaluate"])
    assert {*map(frozenset, seen_segments)} == {frozenset()}


def test_in_questions_no_text_is_told_apart_as_in_peft(
    tmp_path: Path, questions: dict[str, Any], seen_segments: list[set[int]]
) -> None:
    """What PEFT's own model does with segments: an adapter trained with them would score otherwise in plain PEFT."""
    parts = parts_of(parsed(bert_folder(tmp_path), questions))
    batch = parts.collation.batch(parts.task.train, torch.tensor([0]))
    assert "token_type_ids" not in batch
    plain = parts.objective.logits(parts.model.eval(), batch)
    told = parts.objective.logits(parts.model, {**batch, "token_type_ids": torch.ones_like(batch["input_ids"])})
    assert all(torch.equal(one, other) for one, other in zip(plain, told, strict=True))
    assert seen_segments[-2:] == [set(), set()]


@pytest.mark.parametrize("task", ["questions", "pairs"])
def test_encoders_of_berts_form_are_built_too(tmp_path: Path, task: str, request: pytest.FixtureRequest) -> None:
    build_tokenizer().save_pretrained(tmp_path)
    folder = save_bert(tmp_path, pooler=True, vocab_size=len(build_tokenizer()))
    data = request.getfixturevalue(task)
    parts = parts_of(parsed(folder, data))
    assert [block.num_params for block in parts.encoder.block_map.blocks] == [128, 128]
    probed = train(tmp_path / "probed", text_run_config(folder, data), metrics=["fisher_trace"], probe_every=2)
    assert weights_of(probed) == weights_of(train(tmp_path / "plain", text_run_config(folder, data)))
