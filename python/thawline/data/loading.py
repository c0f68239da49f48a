"""The configured data set in memory, normalised as configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from thawline.config.run import DataConfig
from thawline.data.cifar import CIFAR10, CIFAR100, load_cifar
from thawline.data.image_folder import load_image_folder
from thawline.data.mnist import FASHION_MNIST, MNIST, load_mnist
from thawline.data.vision import VisionData
from thawline.errors import UserError


class Reading(TypedDict):
    """How much of published files is read, and whether their checksums must be those that are known."""

    max_train_examples: int | None
    max_test_examples: int | None
    verify_checksums: bool


def _published(config: DataConfig) -> Reading:
    return Reading(
        max_train_examples=config.max_train_examples,
        max_test_examples=config.max_test_examples,
        verify_checksums=config.verify_checksums,
    )


def _folder(path: Path, config: DataConfig) -> VisionData:
    """Nobody knows the checksums of a user's own images."""
    return load_image_folder(
        path,
        max_train_examples=config.max_train_examples,
        max_test_examples=config.max_test_examples,
        classes=config.classes,
        max_train_per_class=config.max_train_per_class,
    )


DATA_SETS: dict[str, Callable[[Path, DataConfig], VisionData]] = {
    "mnist": lambda path, config: load_mnist(path, MNIST, **_published(config)),
    "fashion_mnist": lambda path, config: load_mnist(path, FASHION_MNIST, **_published(config)),
    "cifar10": lambda path, config: load_cifar(path, CIFAR10, **_published(config)),
    "cifar100": lambda path, config: load_cifar(path, CIFAR100, **_published(config)),
    "image_folder": _folder,
}
"""Data sets of images by `data.kind`: its reader and one row here."""


def load_vision_data(config: DataConfig) -> VisionData:
    """Reads `config.path`; `config.normalization` replaces the data set's own constants.

    Raises UserError: what the loader of the kind raises, `wrong_data` for a single class, and `invalid_config` for a
    normalization of other channels.
    """
    data = DATA_SETS[config.kind](Path(config.path), config)
    if data.num_classes == 1:
        raise UserError(
            "wrong_data",
            f"`data.path`: {config.path} holds one class: there is nothing to tell apart, and tr(F) would be 0",
            hint="put the images of each class into a folder of its own, at least two",
        )
    if config.normalization is None:
        return data
    channels = data.train_images.shape[1]
    mean, std = tuple(config.normalization.mean), tuple(config.normalization.std)
    if not len(mean) == len(std) == channels:
        raise UserError(
            "invalid_config",
            f"`data.normalization` has {len(mean)} means and {len(std)} deviations, the images {channels} channel(s)",
            hint=f"give {channels} number(s) for `mean` and as many for `std`",
        )
    return replace(data, mean=mean, std=std)
