"""The published MNIST-C, CIFAR-10-C and CIFAR-100-C, as their authors laid them out.

MNIST-C: a folder for each corruption, with test_images.npy uint8 [n, 28, 28, 1] and test_labels.npy [n]. CIFAR-C: a
file for each corruption, uint8 [5 n, 32, 32, 3], the severities 1 to 5 one after the other, and labels.npy [5 n].
Image i is image i of the clean test set. Files are mapped: only what is looked at is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thawline.data.cifar_c_checksums import CIFAR10_C_MD5, CIFAR100_C_MD5
from thawline.data.corruptions.cifar_c import SEVERITIES
from thawline.data.corruptions.conventions import Images
from thawline.data.npy import map_npy
from thawline.errors import UserError

NUM_TEST_IMAGES = 10_000

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PublishedCifarC:
    """`folder`: what the archive unpacks to; `record`: where it is published; `checksums`: md5 by file name."""

    title: str
    folder: str
    record: str
    checksums: Mapping[str, str]


CIFAR10_C = PublishedCifarC("CIFAR-10-C", "CIFAR-10-C", "CIFAR-10-C.tar of Zenodo record 2535967", CIFAR10_C_MD5)
CIFAR100_C = PublishedCifarC("CIFAR-100-C", "CIFAR-100-C", "CIFAR-100-C.tar of Zenodo record 3555552", CIFAR100_C_MD5)

MNIST_C_FOLDER = "mnist_c"
MNIST_C_RECORD = "mnist_c.zip of Zenodo record 3239543"


def open_mnist_c(
    path: Path, corruptions: Sequence[str], clean_images: Images, clean_labels: Labels, *, verify: bool
) -> dict[str, list[Images]]:
    """uint8 [1 severity][n, 28, 28] by corruption, for clean images [m, 28, 28] and labels [m], m <= n.

    `verify` demands all 10,000 images, and where the sanity check `identity` is there that it is the clean test set (no
    checksums of the single files are published). Raises UserError: `missing_data` naming all missing files,
    `corrupt_npy`, `wrong_data`.
    """
    folder = _mnist_c_folder(path)
    paths = {name: (folder / name / "test_images.npy", folder / name / "test_labels.npy") for name in corruptions}
    _check_presence("MNIST-C", folder, [file for pair in paths.values() for file in pair], MNIST_C_RECORD)
    test_set = {}
    for name, (images_path, labels_path) in paths.items():
        images = _map_images(images_path, (28, 28, 1), MNIST_C_RECORD)
        _check_count(images_path, len(images), len(clean_images), verify, MNIST_C_RECORD)
        _check_labels(labels_path, map_npy(labels_path), len(images), clean_labels, MNIST_C_RECORD)
        test_set[name] = [images[..., 0]]
    if verify and not np.array_equal(clean_of_mnist_c(path, clean_images), clean_images):
        raise _wrong_data(f"{_identity(folder)} is not the clean test set", MNIST_C_RECORD)
    return test_set


def clean_of_mnist_c(path: Path, clean_images: Images) -> Images:
    """The images of the sanity check `identity` in the place of `clean_images` [m, 28, 28], where it is there."""
    identity = _identity(_mnist_c_folder(path))
    if not identity.is_file():
        return clean_images
    return _map_images(identity, (28, 28, 1), MNIST_C_RECORD)[: len(clean_images), ..., 0]


def _mnist_c_folder(path: Path) -> Path:
    return path / MNIST_C_FOLDER if (path / MNIST_C_FOLDER).is_dir() else path


def _identity(folder: Path) -> Path:
    return folder / "identity" / "test_images.npy"


def open_cifar_c(
    path: Path, published: PublishedCifarC, corruptions: Sequence[str], clean_labels: Labels, *, verify: bool
) -> dict[str, list[Images]]:
    """uint8 [5 severities][n, 32, 32, 3] by corruption, for the labels [m] of clean images, m <= n.

    `verify` demands the published files: their md5, 10,000 images a severity. Raises UserError: `missing_data` naming
    all missing files, `corrupt_npy`, `wrong_data`, `checksum_mismatch`.
    """
    folder = path / published.folder if (path / published.folder).is_dir() else path
    paths = {name: folder / f"{name}.npy" for name in (*corruptions, "labels")}
    _check_presence(published.title, folder, list(paths.values()), published.record)
    labels_path = paths.pop("labels")
    labels = map_npy(labels_path)
    test_set = {}
    for name, file in paths.items():
        images = _map_images(file, (32, 32, 3), published.record)
        count, rest = divmod(len(images), len(SEVERITIES))
        if rest:
            raise _wrong_data(f"{file} holds {len(images)} images, which are not five severities", published.record)
        _check_count(file, count, len(clean_labels), verify, published.record)
        for block in range(len(SEVERITIES)):
            _check_labels(labels_path, labels, len(images), clean_labels, published.record, first=block * count)
        test_set[name] = [images[block * count : (block + 1) * count] for block in range(len(SEVERITIES))]
    if verify:
        for name, file in {**paths, "labels": labels_path}.items():
            _check_md5(file, published.checksums[name], published)
    return test_set


def _check_presence(title: str, folder: Path, files: Sequence[Path], record: str) -> None:
    missing = [str(file.relative_to(folder)) for file in files if not file.is_file()]
    if missing:
        raise UserError(
            "missing_data",
            f"the {title} folder {folder} lacks {', '.join(missing)}",
            hint=f"set `evaluate.ood_path` to what {record} unpacks to, or leave it out to have the images regenerated",
        )


def _map_images(path: Path, shape: tuple[int, int, int], record: str) -> Images:
    images = map_npy(path)
    if images.dtype != np.uint8 or images.shape[1:] != shape or len(images) == 0:
        raise _wrong_data(f"{path} holds {images.dtype} {list(images.shape)}, not uint8 {['n', *shape]}", record)
    return images


def _check_count(path: Path, count: int, needed: int, verify: bool, record: str) -> None:
    if count < needed:
        raise _wrong_data(f"{path} has {count} images a severity, the clean test set {needed}", record)
    if verify and count != NUM_TEST_IMAGES:
        raise _wrong_data(f"{path} has {count} images a severity, not {NUM_TEST_IMAGES}", record)


def _check_labels(
    path: Path, labels: npt.NDArray[Any], num_images: int, clean_labels: Labels, record: str, first: int = 0
) -> None:
    if labels.dtype.kind not in "iu" or labels.shape != (num_images,):
        raise _wrong_data(
            f"{path} holds {labels.dtype} {list(labels.shape)}, not one whole number for each of {num_images} images",
            record,
        )
    differs = labels[first : first + len(clean_labels)].astype(np.int64) != clean_labels
    if differs.any():
        place = int(differs.argmax())
        raise _wrong_data(
            f"{path} has the label {labels[first + place]} where test image {place} has {clean_labels[place]}", record
        )


def _check_md5(path: Path, expected: str, published: PublishedCifarC) -> None:
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != expected:
        raise UserError(
            "checksum_mismatch",
            f"{path} is not the published {published.title} file: it has md5 {md5}, not {expected}",
            hint="fetch the file again, or set `data.verify_checksums` to false if other data is meant",
        )


def _wrong_data(message: str, record: str) -> UserError:
    return UserError(
        "wrong_data", message, hint=f"use the files of {record} unchanged, with the clean data they belong to"
    )
