"""Encoders with adapters as blocks, in the forms of XLM-R and of others."""

import re
import warnings

import pytest
import torch
from peft import AutoPeftModelForSequenceClassification, PeftModelForQuestionAnswering
from tiny_encoder import (
    SIZES,
    SPECIAL_TOKENS,
    VOCABULARY,
    build_seeded,
    move_adapters,
    save_bert,
    save_seeded,
    save_xlm_roberta,
    token_batch,
    xlm_roberta_config,
)
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ModernBertConfig,
    ModernBertModel,
    XLMRobertaForQuestionAnswering,
    XLMRobertaForSequenceClassification,
)

from thawline.errors import UserError
from thawline.models.text import LoraSettings, build_encoder
from thawline.models.text.encoder import adapt
from thawline.models.text.pretrained import describe_pretrained
from thawline.probes import Prober, ProbeSet, ProbeSettings
from thawline.probes.text_objective import QuestionAnsweringObjective, SequenceClassificationObjective
from thawline.steering.freezing import apply_trainable, assert_trainable, parameters_of

BASE_SIZES = {
    "vocab_size": 250_002,
    "max_position_embeddings": 514,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}


@pytest.fixture(scope="module")
def xlm_roberta(tmp_path_factory):
    return save_xlm_roberta(tmp_path_factory.mktemp("xlm_roberta"))


def logits_of(model, batch):
    with torch.no_grad():
        output = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
    return output.logits if "logits" in output else torch.stack([output.start_logits, output.end_logits])


@pytest.mark.parametrize(
    ("task", "model_class", "num_labels", "head_size"),
    [
        ("question_answering", XLMRobertaForQuestionAnswering, 2, 1_538),
        ("sequence_classification", XLMRobertaForSequenceClassification, 3, 592_899),
    ],
)
def test_xlm_r_base_has_twelve_blocks_of_24576_parameters(task, model_class, num_labels, head_size):
    """The published sizes, without memory for them."""
    with torch.device("meta"):
        model = model_class(xlm_roberta_config(num_labels=num_labels, **BASE_SIZES))
        encoder = adapt(describe_pretrained(model, "base", []), task, LoraSettings())
    block_map = encoder.block_map
    assert [block.name for block in block_map.blocks] == [f"layer{index}" for index in range(11, -1, -1)]
    assert [block.num_params for block in block_map.blocks] == [24_576] * 12
    assert block_map.head.num_params == head_size
    assert block_map.trainable_from_start == ("layer11",)
    assert block_map.num_params == 294_912 + head_size
    for index, block in enumerate(reversed(block_map.blocks)):
        places = [
            rf"layer\.{index}\.attention\.self\.{target}\.lora_{m}\." for target in ("query", "value") for m in "AB"
        ]
        assert len(block.parameter_names) == 4
        assert all(any(re.search(place, name) for name in block.parameter_names) for place in places)


def test_blocks_and_head_are_all_that_trains_and_the_frozen_copy_of_the_head_is_in_neither(xlm_roberta):
    encoder = build_seeded("sequence_classification", xlm_roberta, num_labels=3)
    trainable = {name for name, parameter in encoder.model.named_parameters() if parameter.requires_grad}
    everything = parameters_of(encoder.block_map, ["head", "layer1", "layer0"])
    assert trainable == everything
    head = set(encoder.block_map.head.parameter_names)
    place = "base_model.model.classifier.modules_to_save.default"
    assert head == {f"{place}.{layer}.{kind}" for layer in ("dense", "out_proj") for kind in ("weight", "bias")}
    assert encoder.logits_layer == f"{place}.out_proj"
    assert encoder.notes == ()


def test_the_head_in_the_blocks_is_the_one_that_makes_the_logits(xlm_roberta):
    encoder, batch = build_seeded("question_answering", xlm_roberta), token_batch([4, 6])
    model = encoder.model.eval()
    before = logits_of(model, batch)
    named = dict(model.named_parameters())
    with torch.no_grad():
        for name in encoder.block_map.head.parameter_names:
            named[name].add_(1)
    assert not torch.equal(logits_of(model, batch), before)


def test_the_model_begins_as_it_was_pretrained_with_dropout_on(xlm_roberta):
    """B is zero, A is not; weights are float32 however they were stored."""
    encoder = build_seeded("question_answering", xlm_roberta)
    for name, parameter in encoder.model.named_parameters():
        assert parameter.dtype == torch.float32
        if ".lora_" in name:
            assert bool((parameter == 0).all()) == (".lora_B." in name)
    rates = {name: part.p for name, part in encoder.model.named_modules() if isinstance(part, nn.Dropout)}
    assert {rate for name, rate in rates.items() if ".lora_dropout." in name} == {0.2}
    assert all(module.training for module in encoder.model.modules())


def test_weights_stored_in_half_precision_are_loaded_in_single(tmp_path):
    folder = save_xlm_roberta(tmp_path / "half", dtype=torch.float16)
    encoder = build_seeded("question_answering", folder)
    assert {parameter.dtype for parameter in encoder.model.parameters()} == {torch.float32}


def test_the_same_seed_gives_the_same_new_weights(xlm_roberta):
    one, other = (build_seeded("sequence_classification", xlm_roberta, num_labels=3).model for _ in range(2))
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    assert all(name == other_name and torch.equal(a, b) for (name, a), (other_name, b) in pairs)


def test_lora_settings_are_used(xlm_roberta):
    settings = LoraSettings(r=2, alpha=6, dropout=0.0, targets=("query", "key", "output.dense"))
    encoder = build_seeded("question_answering", xlm_roberta, adapter=settings)
    # Both the attention's and the layer's own `output.dense`: 16 -> 16 and 24 -> 16.
    assert encoder.block_map.blocks[0].num_params == 2 * (3 * (16 + 16) + (24 + 16))
    config = encoder.model.peft_config["default"]
    assert (config.lora_alpha, config.lora_dropout) == (6, 0.0)


def test_blocks_may_be_given_by_patterns(xlm_roberta):
    patterns = [("queries", r"\.query\."), ("values", r"\.value\.")]
    block_map = build_seeded("question_answering", xlm_roberta, blocks=patterns).block_map
    assert [(block.name, len(block.parameter_names)) for block in block_map.blocks] == [("queries", 4), ("values", 4)]
    assert block_map.trainable_from_start == ("queries",)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([("upper", r"\.layer\.1\.")], r"no block has the parameters .*layer\.0\."),
        ([("all", "lora"), ("upper", r"\.layer\.1\.")], "matches the patterns of more than one block"),
        ([("all", "lora"), ("frozen", "intermediate")], "matches no parameter"),
    ],
)
def test_patterns_are_over_the_adapters_alone(xlm_roberta, patterns, message):
    with pytest.raises(UserError, match=message) as raised:
        build_seeded("question_answering", xlm_roberta, blocks=patterns)
    assert raised.value.code == "invalid_blocks"


def test_patterns_over_several_layers_of_a_deep_model(tmp_path):
    folder = save_xlm_roberta(tmp_path / "deep", num_hidden_layers=12)
    patterns = [("top", r"\.layer\.(9|10|11)\."), ("bottom", r"\.layer\.[0-8]\.")]
    block_map = build_seeded("question_answering", folder, blocks=patterns).block_map
    assert [block.num_params for block in block_map.blocks] == [3 * 512, 9 * 512]
    # The index, not the order of names or the first digit: layer 1 is not layer 10 or 11.
    by_layer = build_seeded("question_answering", folder).block_map.blocks
    assert [block.name for block in by_layer][:3] == ["layer11", "layer10", "layer9"]
    assert [len(block.parameter_names) for block in by_layer] == [4] * 12


def test_only_what_is_unfrozen_gets_a_gradient_and_library_calls_are_noticed(xlm_roberta):
    encoder, batch = build_seeded("question_answering", xlm_roberta), token_batch([4, 6])
    names = ["head", *encoder.block_map.trainable_from_start]
    apply_trainable(encoder.model, encoder.block_map, names)
    encoder.model(**{key: batch[key] for key in ("input_ids", "attention_mask")}).start_logits.sum().backward()
    with_gradient = {name for name, parameter in encoder.model.named_parameters() if parameter.grad is not None}
    assert with_gradient == parameters_of(encoder.block_map, ["head", "layer1"])
    encoder.model.set_adapter("default")
    with pytest.raises(AssertionError, match=r"layer\.0\..* has requires_grad True"):
        assert_trainable(encoder.model, encoder.block_map, names)
    apply_trainable(encoder.model, encoder.block_map, names)


def calls_of_stages(encoder):
    """By hooks, in the order of execution: the stage's name, its first positional argument, and its output."""
    calls = []
    for name in encoder.stages:
        stage = encoder.model.get_submodule(name)
        stage.register_forward_hook(lambda module, args, output, name=name: calls.append((name, args[0], output)))
    logits_of(encoder.model.eval(), token_batch([4, 6]))
    return calls


def fisher_trace(encoder, objective, stages):
    probe_set = ProbeSet([token_batch([4, 9]), token_batch([6, 2, 3], seed=1)])
    made = Prober(encoder.model, objective, probe_set, ProbeSettings(seed=3), stages)
    return [made.measure(update, ["fisher_trace"])[0].value for update in (1, 10)]


FORMS = {
    "xlm_roberta": lambda folder: (save_xlm_roberta(folder), {}),
    "bert with a pooler": lambda folder: (save_bert(folder, pooler=True), {}),
    "bert without a pooler": lambda folder: (save_bert(folder, pooler=False), {}),
    "distilbert": lambda folder: (
        save_seeded(
            DistilBertModel,
            DistilBertConfig(vocab_size=VOCABULARY, dim=16, n_layers=2, n_heads=2, hidden_dim=24),
            folder,
        ),
        {"adapter": LoraSettings(targets=("q_lin", "v_lin"))},
    ),
    "deberta": lambda folder: (
        save_seeded(DebertaV2Model, DebertaV2Config(vocab_size=VOCABULARY, relative_attention=True, **SIZES), folder),
        {"adapter": LoraSettings(targets=("query_proj", "value_proj"))},
    ),
    "modernbert": lambda folder: (
        save_seeded(ModernBertModel, ModernBertConfig(vocab_size=VOCABULARY, **SPECIAL_TOKENS, **SIZES), folder),
        {"adapter": LoraSettings(targets=("Wqkv",))},
    ),
}


@pytest.mark.parametrize("num_labels", [None, 3])
@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_encoders_have_blocks_and_stages_too(tmp_path, form, num_labels):
    folder, options = FORMS[form](tmp_path / "encoder")
    task = "question_answering" if num_labels is None else "sequence_classification"
    encoder = build_seeded(task, folder, num_labels=num_labels, **options)
    assert [block.name for block in encoder.block_map.blocks] == ["layer1", "layer0"]
    assert len({block.num_params for block in encoder.block_map.blocks}) == 1
    assert encoder.model.get_submodule(encoder.logits_layer).out_features == (num_labels or 2)
    calls = calls_of_stages(encoder)
    assert [name for name, _, _ in calls] == list(encoder.stages)
    given = calls[0][2][0] if form == "deberta" else calls[0][2]
    assert calls[1][1] is given, "a layer reads the hidden states that the one below gave"


@pytest.mark.parametrize("num_labels", [None, 3])
@pytest.mark.parametrize("form", FORMS)
def test_probes_keep_what_the_frozen_layers_of_any_form_give(tmp_path, form, num_labels):
    folder, options = FORMS[form](tmp_path / "encoder")
    task = "question_answering" if num_labels is None else "sequence_classification"
    encoder = build_seeded(task, folder, num_labels=num_labels, **options)
    objective = QuestionAnsweringObjective() if num_labels is None else SequenceClassificationObjective()
    apply_trainable(encoder.model, encoder.block_map, ["head", "layer1"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # ModernBERT has a LayerNorm in its head: slower, not wrong.
        warnings.filterwarnings("ignore", "1 of 6 parameters in scope .*have no rule for per-example gradients")
        assert fisher_trace(encoder, objective, encoder.stages) == fisher_trace(encoder, objective, [])


def test_a_pooler_that_the_checkpoint_lacks_is_in_the_head_and_that_is_said(tmp_path):
    encoder = build_seeded("sequence_classification", save_bert(tmp_path / "bare", pooler=False), num_labels=3)
    assert [name for name in encoder.block_map.head.parameter_names if ".pooler.modules_to_save.default." in name]
    assert len(encoder.notes) == 1
    assert "has no pooler" in encoder.notes[0]
    encoder = build_seeded("sequence_classification", save_bert(tmp_path / "whole", pooler=True), num_labels=3)
    assert not [name for name in encoder.block_map.head.parameter_names if "pooler" in name]
    assert encoder.notes == ()


def test_a_saved_adapter_can_be_used_without_thawline(tmp_path):
    """Adapters, head and the trained pooler."""
    folder, batch = save_bert(tmp_path / "base", pooler=False), token_batch([4, 6])
    encoder = build_seeded("sequence_classification", folder, num_labels=3)
    move_adapters(encoder.model)
    encoder.model.save_pretrained(tmp_path / "adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = AutoPeftModelForSequenceClassification.from_pretrained(tmp_path / "adapter", num_labels=3)
    assert torch.equal(logits_of(theirs.eval(), batch), logits_of(encoder.model.eval(), batch))
    assert isinstance(build_seeded("question_answering", folder).model, PeftModelForQuestionAnswering)


def test_a_checkpoint_for_the_task_keeps_its_head(tmp_path):
    folder = save_bert(tmp_path / "base", pooler=True)
    AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).save_pretrained(tmp_path / "tuned")
    encoder = build_seeded("sequence_classification", str(tmp_path / "tuned"), num_labels=3)
    tuned = AutoModelForSequenceClassification.from_pretrained(tmp_path / "tuned")
    assert torch.equal(encoder.model.get_submodule(encoder.logits_layer).weight, tuned.classifier.weight)
    # Its three classes say nothing of the two logits a token of the other task.
    assert build_encoder("question_answering", str(tmp_path / "tuned")).block_map.head.num_params == 2 * 16 + 2
