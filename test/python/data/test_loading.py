"""Every kind of data by its configuration; the formats are tested next to their readers."""

import pickle
import shutil
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from example_config import run_config
from PIL import Image

from thawline.config.run import DataConfig, parse_config
from thawline.data.loading import DATA_SETS, load_vision_data
from thawline.errors import UserError


@pytest.fixture
def folders(tmp_path: Path, encode_idx) -> dict[str, Path]:
    """The folder of each kind, with two images a split."""
    pixels = np.arange(2 * 3072, dtype=np.int64).astype(np.uint8).reshape(2, 3072)
    for kind in ("mnist", "fashion_mnist", "cifar10", "cifar100"):
        (tmp_path / kind).mkdir()
    for kind in ("mnist", "fashion_mnist"):
        for stem in ("train", "t10k"):
            images, labels = np.zeros((2, 28, 28), np.uint8), np.array([1, 2], np.uint8)
            (tmp_path / kind / f"{stem}-images-idx3-ubyte").write_bytes(encode_idx(images))
            (tmp_path / kind / f"{stem}-labels-idx1-ubyte").write_bytes(encode_idx(labels))
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (tmp_path / "cifar10" / name).write_bytes(pickle.dumps({"data": pixels, "labels": [0, 1]}, 2))
    for name in ("train", "test"):
        (tmp_path / "cifar100" / name).write_bytes(pickle.dumps({"data": pixels, "fine_labels": [0, 1]}, 2))
        for label in ("a", "b"):
            path = tmp_path / "image_folder" / name / label / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(pixels[0].reshape(32, 32, 3)).save(path)
    return {path.name: path for path in tmp_path.iterdir()}


def load(kind: str, path: Path, **data: Any):
    section = {"kind": kind, "path": str(path), "verify_checksums": False} | data
    return load_vision_data(parse_config(run_config(data=section)).data)


@pytest.mark.parametrize(
    ("kind", "shape", "num_classes", "mean", "std"),
    [
        ("mnist", (2, 1, 28, 28), 10, (0.1307,), (0.3081,)),
        ("fashion_mnist", (2, 1, 28, 28), 10, (0.2860,), (0.3530,)),
        ("cifar10", (10, 3, 32, 32), 10, (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
        ("cifar100", (2, 3, 32, 32), 100, (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
        ("image_folder", (2, 3, 32, 32), 2, None, None),
    ],
)
def test_each_kind_is_read_with_its_own_constants(folders, kind, shape, num_classes, mean, std):
    data = load(kind, folders[kind])
    assert (data.train_images.shape, data.num_classes) == (shape, num_classes)
    if mean is not None:
        assert (data.mean, data.std) == (mean, std)


def test_a_configured_normalization_wins(folders):
    data = load("fashion_mnist", folders["fashion_mnist"], normalization={"mean": [0.25], "std": [2.0]})
    assert data.normalization == ((0.25,), (2.0,))


def test_a_normalization_of_other_channels_is_refused(folders):
    with pytest.raises(UserError, match=r"1 means and 1 deviations, the images 3"):
        load("image_folder", folders["image_folder"], normalization={"mean": [0.5], "std": [1.0]})


def test_a_single_class_is_refused(folders):
    for split in ("train", "test"):
        shutil.rmtree(folders["image_folder"] / split / "a")
    with pytest.raises(UserError, match="image_folder holds one class"):
        load("image_folder", folders["image_folder"])


def test_only_published_checksums_are_compared(folders):
    assert len(load("fashion_mnist", folders["fashion_mnist"], verify_checksums=True).test_labels) == 2
    with pytest.raises(UserError, match="not the published MNIST file"):
        load("mnist", folders["mnist"], verify_checksums=True)


def test_a_missing_file_is_named_with_the_data_set_and_its_source(folders):
    (folders["fashion_mnist"] / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match=r"the Fashion-MNIST file t10k-labels-idx1-ubyte") as caught:
        load("fashion_mnist", folders["fashion_mnist"])
    assert "Zalando" in caught.value.hint


def test_every_kind_that_may_be_configured_has_a_row() -> None:
    assert set(DATA_SETS) == set(get_args(get_type_hints(DataConfig)["kind"]))
