"""Scores of an evaluation: which splits there are, what is said of them, and what ends it."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from example_config import run_config
from PIL import Image
from torch import nn

from thawline.config.run import RunConfig, parse_config
from thawline.data.corruptions.cifar_c import CIFAR_C_MAIN
from thawline.data.corruptions.mnist_c import MNIST_C_CORRUPTIONS
from thawline.data.frost_textures import TEXTURE_FILES, find_frost_textures
from thawline.data.vision import ImageInputs, VisionData
from thawline.errors import UserError
from thawline.interruption import Interrupted, ShouldStop
from thawline.lockstep.abilities import SplitScore
from thawline.steering.blocks import blocks_from_patterns
from thawline.trainers.vision_evaluation import evaluator
from thawline.trainers.vision_parts import VisionParts

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THAWLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("thawline.data.frost_textures.PACKAGE", "no_such_package")


def data_of(channels: int, side: int, from_jpeg: bool = False) -> VisionData:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (6, channels, side, side), dtype=torch.uint8, generator=generator)
    labels = torch.arange(6) % 2
    return VisionData(images, labels, images, labels, 2, (0.5,) * channels, (0.25,) * channels, from_jpeg)


def parts_of(data: VisionData) -> VisionParts:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(data.test_images[0].numel(), 2))
    blocks = blocks_from_patterns(model, [("weight", r"weight")], r"bias")
    return VisionParts(model, blocks, data, ImageInputs(data.normalization, CPU))


def evaluate(
    data: VisionData, kind: str, should_stop: ShouldStop = lambda doing="": False, **sections: Any
) -> list[SplitScore]:
    config = parse_config(run_config(data={"kind": kind}, evaluate=sections))
    assert isinstance(config, RunConfig)
    return list(evaluator(config, parts_of(data))(should_stop))


def test_in_distribution_alone() -> None:
    (score,) = evaluate(data_of(1, 28, from_jpeg=True), "mnist")
    assert (score.split, score.num_examples, score.regenerated, score.from_jpeg) == ("in_dist", 6, False, True)
    assert list(score.values) == ["accuracy"]


def test_a_benchmark_of_one_severity_has_one_number_for_each_corruption() -> None:
    first, clean, *others = evaluate(data_of(1, 28), "mnist", ood="mnist_c", images_per_corruption=4)
    assert (first.split, clean.split) == ("in_dist", "clean")
    assert [score.split for score in others] == [f"ood/{name}" for name in MNIST_C_CORRUPTIONS]
    for score in others:
        assert list(score.values) == ["accuracy"]
        assert (score.num_examples, score.regenerated, score.left_out) == (4, True, None)


def test_the_accuracy_of_a_corruption_is_the_mean_over_its_severities() -> None:
    by_split = {score.split: score for score in evaluate(data_of(3, 32), "cifar10", ood="cifar_c")}
    assert set(by_split) == {"in_dist", "clean", *(f"ood/{name}" for name in CIFAR_C_MAIN)}
    for name in ("gaussian_noise", "contrast"):
        values = dict(by_split[f"ood/{name}"].values)
        mean = values.pop("accuracy")
        assert list(values) == [f"accuracy/severity_{severity}" for severity in range(1, 6)]
        assert mean == pytest.approx(fmean(values.values()))
    frost = by_split["ood/frost"]
    assert frost.values == {}
    assert frost.left_out is not None


def test_a_score_of_frost_names_its_pictures_and_no_other_score_does(tmp_path: Path) -> None:
    for name in TEXTURE_FILES:
        Image.new("RGB", (200, 200), (20, 80, 90)).save(tmp_path / name)
    scores = evaluate(data_of(3, 32), "cifar10", ood="cifar_c", frost_textures=str(tmp_path))
    (frost,) = [score for score in scores if score.made_with is not None]
    assert frost.split == "ood/frost"
    assert frost.made_with == find_frost_textures(tmp_path).provenance  # type: ignore[union-attr]


def test_published_files_are_not_called_regenerated(tmp_path: Path) -> None:
    data = data_of(1, 28)
    for name in MNIST_C_CORRUPTIONS:
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "test_images.npy", data.test_images.permute(0, 2, 3, 1).numpy())
        np.save(tmp_path / name / "test_labels.npy", data.test_labels.numpy())
    first, clean, *others = evaluate(data, "mnist", ood="mnist_c", ood_path=str(tmp_path))
    assert clean.values["accuracy"] == first.values["accuracy"]
    assert not any(score.regenerated for score in others)
    # The "corruptions" are the clean images.
    assert {score.values["accuracy"] for score in others} == {first.values["accuracy"]}


@pytest.mark.parametrize(("kind", "ood", "data"), [("mnist", "mnist_c", (1, 28)), ("cifar10", "cifar_c", (3, 32))])
@pytest.mark.parametrize("images", ["all", 4])
def test_clean_images_score_the_same_on_both_ways(kind: str, ood: str, data: tuple[int, int], images: Any) -> None:
    """By the cache as well, where the second evaluation finds them."""
    for _ in range(2):
        scores = {score.split: score for score in evaluate(data_of(*data), kind, ood=ood, images_per_corruption=images)}
        clean = scores["clean"]
        assert clean.values["accuracy"] == clean.values["accuracy/direct"]
        assert (clean.num_examples, clean.regenerated, clean.warning) == (6 if images == "all" else 4, False, None)
    if images == "all":
        assert clean.values["accuracy"] == scores["in_dist"].values["accuracy"]


def test_a_way_that_turns_images_upside_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen on a network that knows the images by heart."""
    monkeypatch.setattr("thawline.data.corrupted_sets._to_tensor", upside_down)
    data = data_of(1, 28)
    parts = parts_of(data)
    optimizer = torch.optim.SGD(parts.model.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(parts.model(parts.inputs.of(data.test_images)), data.test_labels).backward()
        optimizer.step()
    config = parse_config(run_config(data={"kind": "mnist"}, evaluate={"ood": "mnist_c"}))
    assert isinstance(config, RunConfig)
    in_dist, clean, *_ = evaluator(config, parts)(lambda doing="": False)
    assert in_dist.values["accuracy"] == clean.values["accuracy/direct"] == 1.0
    assert clean.values["accuracy"] < 1
    assert clean.warning is not None
    assert f"{clean.values['accuracy']:.2%}" in clean.warning
    assert "100.00%" in clean.warning


def upside_down(images: Any) -> torch.Tensor:
    return torch.from_numpy(images[:, ::-1].copy()).unsqueeze(1)


def test_the_test_sets_that_a_first_evaluation_makes_are_counted_for_people() -> None:
    told: list[str] = []

    def should_stop(doing: str = "") -> bool:
        told.append(doing)
        return False

    evaluate(data_of(1, 28), "mnist", should_stop, ood="mnist_c")
    assert [doing for doing in told if doing] == [f"{made} of 15 test sets made" for made in range(15)]
    told.clear()
    evaluate(data_of(1, 28), "mnist", should_stop, ood="mnist_c")
    assert set(told) == {""}


def test_files_are_looked_at_before_anything_is_evaluated(tmp_path: Path) -> None:
    config = parse_config(run_config(evaluate={"ood": "mnist_c", "ood_path": str(tmp_path)}))
    assert isinstance(config, RunConfig)
    with pytest.raises(UserError, match="lacks shot_noise/test_images"):
        evaluator(config, parts_of(data_of(1, 28)))


@pytest.mark.parametrize("polls", [0, 1, 2, 5])
def test_a_recall_is_an_interruption_wherever_it_comes(polls: int) -> None:
    answers = iter([False] * polls)
    with pytest.raises(Interrupted):
        evaluate(data_of(1, 28), "mnist", lambda doing="": next(answers, True), ood="mnist_c")
