"""The text loop on hand-made questions and pairs, from welcome to closed, as the controller sees it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from granting_channel import GrantingChannel, kinds
from safetensors.torch import load_file
from text_examples import build_tokenizer
from text_training import LANGUAGES, save_encoder, text_run_config, train, weights_of
from tiny_encoder import save_bert
from torch import Tensor

from thawline.config.run import parse_config
from thawline.errors import UserError
from thawline.trainers.text_parts import build_model
from thawline.wire.protocol import Applied, Boundary, Checkpointed, Evaluated, Kept, Log, Ready, Stopped

pytestmark = pytest.mark.usefixtures("torch_settings", "text_cache")

METRICS = ["fisher_trace", "sharpness_avg", "sharpness_worst"]
END = ["validate", "checkpoint", "evaluate"]


def test_what_it_says_before_it_trains(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    ready = train(tmp_path, text_run_config(encoder, questions)).sent[0]
    assert isinstance(ready, Ready)
    # Four matrices of rank 2 over 16 dimensions; the head has two logits a token.
    assert [(block.name, block.num_params) for block in ready.blocks] == [("layer1", 128), ("layer0", 128)]
    assert [block.trainable_from_start is True for block in ready.blocks] == [True, False]
    assert (ready.head.name, ready.head.num_params) == ("head", 2 * 16 + 2)
    assert (ready.num_updates, ready.updates_per_epoch, ready.resumed_from) == (6, 2, 0)
    assert (ready.device, ready.threads, ready.seed) == ("cpu", 1, 0)
    assert ready.can == ["checkpoint", "evaluate", "validate", "keep_best", "restore_best"]


def test_epochs_are_turned_into_updates(tmp_path: Path, encoder: str, pairs: dict[str, Any]) -> None:
    config = text_run_config(encoder, pairs, train={"updates": None, "epochs": 2})
    ready = train(tmp_path, config).sent_of(Ready)[0]
    assert (ready.num_updates, ready.updates_per_epoch) == (2 * 3, 3)


def test_signals_come_at_their_boundaries(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    channel = train(tmp_path, text_run_config(encoder, questions), metrics=METRICS, probe_every=2)
    measured = {body.update: {metric.key: metric for metric in body.metrics} for body in channel.sent_of(Boundary)}
    assert [update for update, metrics in measured.items() if metrics] == [1, 2, 4, 6]
    for update in (1, 2, 4, 6):
        assert {f"probe/{name}" for name in METRICS} <= measured[update].keys()
        for name in METRICS:
            metric = measured[update][f"probe/{name}"]
            assert isinstance(metric.value, float)
            assert math.isfinite(metric.value)
            assert metric.standard_error is not None
    # The mask of boundary 4 is that of update 3; at 6 the lower block is in the scope too, and nothing compares.
    assert measured[4]["probe/fisher_trace"].change_standard_error is not None
    assert measured[6]["probe/fisher_trace"].change_standard_error is None


def test_the_best_weights_are_those_that_are_scored_at_the_end(
    tmp_path: Path, encoder: str, questions: dict[str, Any]
) -> None:
    channel = train(
        tmp_path,
        text_run_config(encoder, questions),
        orders={3: ["validate", "keep_best"], 5: ["validate"]},
        end_orders=["validate", "checkpoint", "restore_best", "evaluate"],
    )
    at_three = channel.sent.index(next(body for body in channel.sent_of(Boundary) if body.update == 3))
    assert kinds(channel.sent[at_three:])[:4] == ["Boundary", "Evaluated", "Kept", "Applied"]
    (kept,), (saved,) = channel.sent_of(Kept), channel.sent_of(Checkpointed)
    assert (kept.step, kept.path) == (2, "best/step-00000002")
    assert saved.weights_sha256 != kept.weights_sha256 == weights_of(channel)

    scores = channel.sent_of(Evaluated)
    developments = [score for score in scores if score.split == "development"]
    assert [score.step for score in developments] == [2, 4, 6]
    tests = {score.split: score for score in scores if score.split != "development"}
    assert [*tests] == ["in_dist", *(f"ood/xquad/{language}" for language in LANGUAGES), "ood/mlqa/zh"]
    for score in scores:
        assert [*score.values] == ["f1", "exact_match"]
        assert 0 <= score.values["exact_match"] <= score.values["f1"] <= 1
        assert (score.num_examples, score.regenerated, score.left_out) == (5, False, None)
    # The same five questions by the same scorer, and the weights that were kept at 2.
    assert tests["in_dist"].values == tests["ood/xquad/de"].values == developments[0].values


def test_training_with_every_probe_equals_training_with_none(
    tmp_path: Path, encoder: str, questions: dict[str, Any]
) -> None:
    config = text_run_config(encoder, questions)
    probed = train(tmp_path / "probed", config, metrics=METRICS, probe_every=1)
    assert len([body for body in probed.sent_of(Boundary) if body.metrics]) == 7
    evaluated = train(tmp_path / "evaluated", config, orders={3: ["evaluate"], 5: ["validate", "keep_best"]})
    assert weights_of(probed) == weights_of(evaluated) == weights_of(train(tmp_path / "plain", config))


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    tmp_path: Path, encoder: str, pairs: dict[str, Any]
) -> None:
    torch.manual_seed(1)
    first = weights_of(train(tmp_path, text_run_config(encoder, pairs)))
    torch.manual_seed(2)
    assert weights_of(train(tmp_path, text_run_config(encoder, pairs))) == first
    assert weights_of(train(tmp_path, text_run_config(encoder, pairs, seed=1))) != first


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, questions: dict[str, Any], dropout: float
) -> None:
    """Also what is measured, and with an encoder that has dropout of its own: its draws go on where they were."""
    rates = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    config = text_run_config(save_encoder(tmp_path / "encoder", **rates), questions)
    config["model"]["adapter"]["dropout"] = dropout
    probes: dict[str, Any] = {"metrics": METRICS, "probe_every": 2}
    whole = train(tmp_path / "whole", config, **probes)

    stopped = train(tmp_path, config, stop=(5, "operator", True), **probes)
    assert isinstance(stopped.sent[-1], Stopped)
    (saved,) = stopped.sent_of(Checkpointed)
    assert saved.step == 4
    torch.manual_seed(77)
    resumed = train(tmp_path, config, resume_from=saved, **probes)

    assert resumed.sent_of(Ready)[0].resumed_from == 4
    assert weights_of(resumed) == weights_of(whole)
    signals = [
        [(m.key, m.value, m.standard_error, m.change_standard_error) for m in body.metrics]
        for channel in (resumed, whole)
        for body in channel.sent_of(Boundary)
        if body.update == 6
    ]
    assert len(signals) == 2
    assert signals[0] == signals[1] != []


def test_dropout_is_on_while_it_trains(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    config = text_run_config(encoder, questions)
    dropped = weights_of(train(tmp_path / "dropped", config))
    config["model"]["adapter"]["dropout"] = 0.0
    assert weights_of(train(tmp_path / "plain", config)) != dropped


def adapters_of(tensors: dict[str, Tensor], layer: int) -> dict[str, Tensor]:
    """Parameters, or what an optimizer keeps of them."""
    return {name: tensor for name, tensor in tensors.items() if f".layer.{layer}." in name and ".lora_" in name}


def test_a_released_block_moves_from_the_granted_update_on(
    tmp_path: Path, encoder: str, questions: dict[str, Any]
) -> None:
    """Until then it keeps the bits that it began with, and the optimizer knows nothing of it."""
    config = text_run_config(encoder, questions)
    channel = train(tmp_path, config, orders={2: ["checkpoint"], 4: ["checkpoint"], 5: ["checkpoint"]})
    before_three, after_three, after_four = (tmp_path / saved.path for saved in channel.sent_of(Checkpointed))
    begun = adapters_of(build_model(parse_config(config)).model.state_dict(), 0)
    assert len(begun) == 4
    for folder in (before_three, after_three):
        saved = load_file(folder / "model.safetensors")
        assert all(torch.equal(saved[name], tensor) for name, tensor in begun.items())
        moments = load_file(folder / "optimizer.safetensors")
        assert adapters_of(moments, 1)
        assert not adapters_of(moments, 0)
    moved = load_file(after_four / "model.safetensors")
    assert all(bool((moved[name] != tensor).any()) for name, tensor in begun.items())
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)][:3] == [
        (1, 34 + 128),
        (2, 34 + 128),
        (4, 34 + 256),
    ]


def test_a_grant_is_a_schedule_from_the_start(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    """Boundaries in between make no difference to the weights; when a block is released does."""
    config = text_run_config(encoder, questions)
    fixed = weights_of(train(tmp_path, config))
    assert weights_of(train(tmp_path, config, orders={update: ["validate"] for update in range(2, 7)})) == fixed
    later = {1: ["head", "layer1"], 5: ["head", "layer1", "layer0"]}
    assert weights_of(train(tmp_path, config, trainable=later)) != fixed


def test_the_rate_falls_linearly_to_zero(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    channel = train(tmp_path, text_run_config(encoder, questions), factors={3: 0.5}, end_orders=["validate"])
    assert channel.sent_of(Ready)[0].learning_rates == [0.01, 0.01]
    rates = {body.update: body.learning_rates for body in channel.sent_of(Applied)}
    expected = {1: 0.01, 3: 0.01 * (4 / 6) * 0.5, 4: 0.01 * (3 / 6) * 0.5, 7: 0.0}
    assert rates == {update: [pytest.approx(rate)] * 2 for update, rate in expected.items()}


def test_a_released_block_warms_up_alone_and_groups_by_block_leave_no_trace(
    tmp_path: Path, encoder: str, questions: dict[str, Any]
) -> None:
    """With gradients that are clipped, and weights that decay or do not."""
    settings = {"weight_decay": 0.1, "max_gradient_norm": 0.1, "schedule": {"kind": "constant"}}
    config = text_run_config(encoder, questions, train=settings)
    by_block = config | {"groups_by_block": True}
    plain = train(tmp_path, config)
    assert weights_of(train(tmp_path, by_block)) == weights_of(plain)
    channel = train(tmp_path, by_block, release_warmup=3)
    assert weights_of(channel) != weights_of(plain)
    rates = {body.update: sorted(set(body.learning_rates)) for body in channel.sent_of(Applied)}
    assert rates == {1: [0.01], 4: [0.01 * (1 / 3), 0.01]}


@pytest.mark.parametrize("max_norm", [1e-3, None])
def test_gradients_are_clipped_together(
    tmp_path: Path, encoder: str, questions: dict[str, Any], max_norm: float | None
) -> None:
    """By plain SGD, whose step is as long as the rate times the gradient."""
    plain = {"optimizer": "sgd", "learning_rate": 0.5, "weight_decay": 0.0, "schedule": {"kind": "constant"}}
    config = text_run_config(encoder, questions, train={**plain, "updates": 1, "max_gradient_norm": max_norm})
    (saved,) = train(tmp_path, config, end_orders=["checkpoint"]).sent_of(Checkpointed)
    moved = load_file(tmp_path / saved.path / "model.safetensors")
    begun = build_model(parse_config(config)).model.state_dict()
    length = math.sqrt(sum(float((moved[name] - begun[name]).double().square().sum()) for name in moved))
    if max_norm is None:
        assert length > 0.5 * 1e-2
    else:
        assert length == pytest.approx(0.5 * max_norm, rel=1e-3)


def test_sentence_pairs_are_learned_too(tmp_path: Path, encoder: str, pairs: dict[str, Any]) -> None:
    config = text_run_config(encoder, pairs, train={"updates": 24, "learning_rate": 0.02})
    arguments: dict[str, Any] = {"metrics": METRICS, "probe_every": 8, "end_orders": END}
    channel = train(tmp_path / "whole", config, **arguments)
    # XLM-R's head: a dense layer, and three outputs.
    assert channel.sent_of(Ready)[0].head.num_params == 16 * 16 + 16 + 3 * 16 + 3
    scores = {score.split: score for score in channel.sent_of(Evaluated)}
    assert [*scores] == ["development", "in_dist", *(f"ood/xnli/{language}" for language in LANGUAGES)]
    assert [score.num_examples for score in scores.values()] == [9] * 5
    assert scores["in_dist"].values == {"accuracy": pytest.approx(round(9 * scores["in_dist"].values["accuracy"]) / 9)}
    assert scores["in_dist"].values["accuracy"] > 1 / 3
    (saved,) = train(tmp_path, config, stop=(9, "operator", True)).sent_of(Checkpointed)
    assert weights_of(train(tmp_path, config, resume_from=saved)) == weights_of(channel)


def test_a_bert_without_a_pooler_says_so(tmp_path: Path, pairs: dict[str, Any]) -> None:
    build_tokenizer().save_pretrained(tmp_path / "bert")
    folder = save_bert(tmp_path / "bert", pooler=False, vocab_size=len(build_tokenizer()))
    channel = train(tmp_path, text_run_config(folder, pairs), metrics=["fisher_trace"], probe_every=3, end_orders=END)
    (note,) = channel.sent_of(Log)
    assert "has no pooler" in note.text
    assert channel.sent_of(Ready)[0].head.num_params == (16 * 16 + 16) + (3 * 16 + 3)
    assert weights_of(channel)


def test_bfloat16_is_the_arithmetic_of_training_and_no_state(
    tmp_path: Path, encoder: str, questions: dict[str, Any]
) -> None:
    config = text_run_config(encoder, questions, device={"precision": "bfloat16"})
    low = train(tmp_path / "low", config, end_orders=["checkpoint"])
    assert weights_of(low) != weights_of(train(tmp_path / "full", text_run_config(encoder, questions)))
    saved = load_file(tmp_path / "low" / low.sent_of(Checkpointed)[0].path / "model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}


def refused(folder: Path, config: dict[str, Any], **channel_arguments: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        train(folder, config, **channel_arguments)
    assert "\n" not in caught.value.message
    assert not caught.value.message.endswith(".")
    assert caught.value.hint
    return caught.value


def test_an_encoder_that_is_not_there(tmp_path: Path, questions: dict[str, Any]) -> None:
    error = refused(tmp_path, text_run_config(str(tmp_path / "nowhere"), questions))
    assert error.code == "invalid_model"
    assert "nowhere" in error.message


def test_an_encoder_without_its_tokenizer(tmp_path: Path, questions: dict[str, Any]) -> None:
    error = refused(tmp_path, text_run_config(save_bert(tmp_path / "bare", pooler=True), questions))
    assert (error.code, error.message) == ("invalid_tokenizer", f"{tmp_path / 'bare'} has no tokenizer.json")


def test_sequences_that_are_longer_than_the_encoder_has_positions(
    tmp_path: Path, encoder: str, questions: dict[str, Any]
) -> None:
    error = refused(tmp_path, text_run_config(encoder, {**questions, "max_length": 129}))
    assert error.code == "invalid_config"
    assert error.message == f"`data.max_length` is 129, but {encoder} has positions for 128 tokens"


def test_data_that_are_missing_or_wrong(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    missing = {**questions, "train": str(tmp_path / "nowhere.json")}
    assert refused(tmp_path, text_run_config(encoder, missing)).code == "missing_data"
    (tmp_path / "torn.json").write_text('{"data": [')
    torn = {**questions, "train": str(tmp_path / "torn.json")}
    assert refused(tmp_path, text_run_config(encoder, torn)).code == "wrong_data"


def test_no_run_goes_on_over_another_encoder(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    saved: GrantingChannel = train(tmp_path, text_run_config(encoder, questions), stop=(3, "operator", True))
    other = save_encoder(tmp_path / "other", initializer_range=0.3)
    error = refused(tmp_path, text_run_config(other, questions), resume_from=saved.sent_of(Checkpointed)[0])
    assert error.code == "changed_model"
