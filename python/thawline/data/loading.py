"""The configured data set in memory, normalised as configured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from thawline.config import DataConfig
from thawline.data.cifar import CIFAR10, CIFAR100, load_cifar
from thawline.data.image_folder import load_image_folder
from thawline.data.mnist import FASHION_MNIST, MNIST, load_mnist
from thawline.data.vision import VisionData
from thawline.errors import UserError


class _Limits(TypedDict):
    max_train_examples: int | None
    max_test_examples: int | None


def load_vision_data(config: DataConfig) -> VisionData:
    """Reads `config.path`; `config.normalization` replaces the data set's own constants.

    Raises UserError: what the loader of the kind raises, and `invalid_config` for a normalization of other channels.
    """
    data = _load(config)
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


def _load(config: DataConfig) -> VisionData:
    path, verify = Path(config.path), config.verify_checksums
    limits = _Limits(max_train_examples=config.max_train_examples, max_test_examples=config.max_test_examples)
    match config.kind:
        case "mnist":
            return load_mnist(path, MNIST, verify_checksums=verify, **limits)
        case "fashion_mnist":
            return load_mnist(path, FASHION_MNIST, verify_checksums=verify, **limits)
        case "cifar10":
            return load_cifar(path, CIFAR10, verify_checksums=verify, **limits)
        case "cifar100":
            return load_cifar(path, CIFAR100, verify_checksums=verify, **limits)
        case "image_folder":
            return load_image_folder(path, **limits)
