"""CIFAR-10 and CIFAR-100 from the published "python version": pickled batches, as an archive or unpacked.

Format: each batch is a dict with `data`, uint8 [n, 3072] of 1024 red, 1024 green and 1024 blue values, each row-major,
and `labels` (CIFAR-10) or `fine_labels` (CIFAR-100), a list of n whole numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thawline.data.bounded_archive import UnreadableArchive, read_members
from thawline.data.published_files import published_files
from thawline.data.restricted_pickle import MAX_BYTES, ForbiddenPickle, read_restricted_pickle
from thawline.data.vision import Normalization, VisionData
from thawline.errors import UserError

SIDE = 32
ROW_BYTES = 3 * SIDE * SIDE


@dataclass(frozen=True)
class Cifar:
    """What distinguishes the two data sets; `train` and `test` map file names to their md5."""

    title: str
    archive: str
    folder: str
    train: Mapping[str, str]
    test: Mapping[str, str]
    labels_key: str
    num_classes: int
    normalization: Normalization


CIFAR10 = Cifar(
    title="CIFAR-10",
    **published_files()["cifar"]["cifar10"],
    labels_key="labels",
    num_classes=10,
    # The customary constants; the deviations are smaller than those of the pixels (0.2470, 0.2435, 0.2616).
    normalization=Normalization((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
)
CIFAR100 = Cifar(
    title="CIFAR-100",
    **published_files()["cifar"]["cifar100"],
    labels_key="fine_labels",
    num_classes=100,
    normalization=Normalization((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
)


def load_cifar(
    path: Path, cifar: Cifar, *, verify_checksums: bool, max_train_examples: int | None, max_test_examples: int | None
) -> VisionData:
    """Three-channel 32 x 32 images; `path` is the archive, the folder unpacked from it, or a folder with one of them.

    A maximum keeps the first examples of its split. Raises UserError: `missing_data`, `corrupt_archive`,
    `checksum_mismatch`, `corrupt_cifar` (not a pickle of plain data), `wrong_data` (another content than CIFAR's).
    """
    contents = _read_files(path, cifar, (*cifar.train, *cifar.test))
    train = _parse_split(contents, cifar, cifar.train, verify_checksums, max_train_examples)
    test = _parse_split(contents, cifar, cifar.test, verify_checksums, max_test_examples)
    return VisionData(*train, *test, cifar.num_classes, *cifar.normalization)


def _read_files(path: Path, cifar: Cifar, names: tuple[str, ...]) -> dict[str, bytes]:
    """The files' bytes by name, from wherever in `path` they are."""
    for place in (path, path / cifar.folder, path / cifar.archive):
        if place.is_file():
            contents = _read_archive(place, names)
        elif (place / names[0]).is_file():
            contents = {name: _read_file(place / name, cifar) for name in names if (place / name).is_file()}
        else:
            continue
        if missing := [name for name in names if name not in contents]:
            raise _missing(f"the {cifar.title} in {place} lacks {', '.join(missing)}", cifar)
        return contents
    raise _missing(f"there is no {cifar.title} in {path}: neither {cifar.archive} nor {names[0]}", cifar)


def _read_archive(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    try:
        return read_members(path, names, max_member_bytes=MAX_BYTES)
    except UnreadableArchive as error:
        raise UserError(
            "corrupt_archive",
            f"{path} is not a readable tar archive ({error})",
            hint="fetch the archive again, or name the folder unpacked from it",
        ) from error


def _read_file(path: Path, cifar: Cifar) -> bytes:
    if (size := path.stat().st_size) > MAX_BYTES:
        raise _wrong_data(f"{path} has {size:,} bytes, more than the {MAX_BYTES:,} that a file may have", cifar)
    return path.read_bytes()


def _parse_split(
    contents: Mapping[str, bytes],
    cifar: Cifar,
    files: Mapping[str, str],
    verify_checksums: bool,
    max_examples: int | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = [], []
    for name, published in files.items():
        if verify_checksums and (md5 := hashlib.md5(contents[name], usedforsecurity=False).hexdigest()) != published:
            raise UserError(
                "checksum_mismatch",
                f"{name} is not the published {cifar.title} file: it has md5 {md5}, not {published}",
                hint="fetch the archive again, or set `data.verify_checksums` to false if other data is meant",
            )
        batch_images, batch_labels = _parse_batch(contents[name], name, cifar)
        images.append(batch_images)
        labels.append(batch_labels)
    chosen = slice(max_examples)
    return torch.cat(images)[chosen], torch.cat(labels)[chosen]


def _parse_batch(content: bytes, name: str, cifar: Cifar) -> tuple[torch.Tensor, torch.Tensor]:
    """One file: images uint8 [n, 3, 32, 32] and labels int64 [n]."""
    try:
        batch = read_restricted_pickle(content)
    except ForbiddenPickle as error:
        raise UserError(
            "corrupt_cifar",
            f"{name} is not a {cifar.title} file: {error}",
            hint=f"fetch {cifar.archive} again from where CIFAR is published",
        ) from error
    if not isinstance(batch, dict):
        raise _wrong_data(f"{name} holds no dict of arrays and labels", cifar)
    # Readers that keep Python 2's texts as bytes have written files with such keys.
    entries = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in batch.items()}
    rows = _rows_of(entries.get("data"), name, cifar)
    labels = _labels_of(entries.get(cifar.labels_key), name, cifar)
    if len(rows) != len(labels):
        raise _wrong_data(f"{name} holds {len(rows)} images but {len(labels)} labels", cifar)
    return torch.from_numpy(rows.copy()).reshape(-1, 3, SIDE, SIDE), torch.tensor(labels, dtype=torch.int64)


def _rows_of(data: object, name: str, cifar: Cifar) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[1] != ROW_BYTES or len(data) == 0:
        found = list(data.shape) if isinstance(data, np.ndarray) else type(data).__name__
        raise _wrong_data(f"{name} holds `data` {found}, not uint8 [n, {ROW_BYTES}]", cifar)
    return data


def _labels_of(labels: object, name: str, cifar: Cifar) -> list[int]:
    if not isinstance(labels, list):
        raise _wrong_data(f"{name} has no list `{cifar.labels_key}`", cifar)
    wrong = next((label for label in labels if type(label) is not int or not 0 <= label < cifar.num_classes), None)
    if wrong is not None:
        # Of what is no number or text the type alone is said: it may hold more than could be shown.
        shown = repr(wrong[:60]) if isinstance(wrong, str) else f"of type {type(wrong).__name__}"
        shown = str(wrong) if type(wrong) is int else shown
        raise _wrong_data(
            f"{name} holds the label {shown}; {cifar.title} has the labels 0 to {cifar.num_classes - 1}", cifar
        )
    return labels


def _missing(message: str, cifar: Cifar) -> UserError:
    return UserError(
        "missing_data",
        message,
        hint=f"Set data.path to the archive {cifar.archive}, which the University of Toronto publishes at "
        f"https://www.cs.toronto.edu/~kriz/cifar.html, or to the folder {cifar.folder} unpacked from it.",
    )


def _wrong_data(message: str, cifar: Cifar) -> UserError:
    return UserError("wrong_data", message, hint=f"use the files of {cifar.archive} unchanged")
