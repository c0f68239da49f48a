"""The out-of-distribution test set of a run on images: the published files, or regenerated from the clean test set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import torch

from thawline.config.run import DataConfig, ImageEvaluationConfig
from thawline.data.corruptions.ahead import make_ahead
from thawline.data.corruptions.cache import cached_corruption
from thawline.data.corruptions.cifar_c import CIFAR_C_ALL, CIFAR_C_MAIN, SEVERITIES, SIDE
from thawline.data.corruptions.conventions import Images
from thawline.data.corruptions.mnist_c import MNIST_C_CORRUPTIONS
from thawline.data.corruptions.recipe import CLEAN, Benchmark, Recipe, Source
from thawline.data.frost_textures import find_frost_textures
from thawline.data.official_corruptions import CIFAR10_C, CIFAR100_C, clean_of_mnist_c, open_cifar_c, open_mnist_c
from thawline.data.vision import VisionData
from thawline.errors import UserError
from thawline.storage.cache import default_cache_folder

# Corruptions are one fixed test set, like the published files, so their seed is not the run's.
CORRUPTION_SEED = 0

NO_FROST = "there are no frost textures (evaluate.frost_textures, or the package imagecorruptions-imaug)"
JPEG_TWICE = "the clean images are JPEG files already"

Progress = Iterator[tuple[int, int]]


def _nothing_to_make(should_stop: Callable[[], bool]) -> Progress:
    return iter(())


@dataclass(frozen=True)
class CorruptedTestSet:
    """The first `num_images` images of the clean test set, corrupted in several ways."""

    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    num_images: int
    regenerated: bool
    load: Callable[[str, int], torch.Tensor]
    """(corruption, severity) -> uint8 [num_images, C, H, W]"""
    load_clean: Callable[[], torch.Tensor]
    """The same images without a corruption, by the way on which `load` gets them: uint8 [num_images, C, H, W]."""
    make_ahead: Callable[[Callable[[], bool]], Progress] = _nothing_to_make
    """Makes what is not in the cache yet, in parallel; asks whether to stop. `load` works without it, only later."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Corruptions that are not in the mean, and why; those that could not be made are not in `corruptions` either."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """What a corruption was regenerated with, besides the clean images and this code: the pictures of frost."""


def open_test_set(
    config: ImageEvaluationConfig, data_config: DataConfig, data: VisionData, *, num_processes: int
) -> CorruptedTestSet | None:
    """What `config.ood` names; None for `none`. Nothing is made yet, but files that are given are looked through.

    Raises UserError, so that a run with wrong files ends before it trains: what the readers of the files raise, and
    `invalid_config` for images that are not 32 x 32 in colour.
    """
    if config.ood == "none":
        return None
    limit = config.images_per_corruption
    num_images = min(len(data.test_labels), limit) if isinstance(limit, int) else len(data.test_labels)
    clean = data.test_images[:num_images].permute(0, 2, 3, 1).cpu().numpy()
    if config.ood == "mnist_c":
        if config.ood_path is None:
            return _regenerated_mnist_c(clean[..., 0], num_processes)
        labels = data.test_labels[:num_images].numpy()
        verify = data_config.verify_checksums
        files = open_mnist_c(Path(config.ood_path), MNIST_C_CORRUPTIONS, clean[..., 0], labels, verify=verify)
        return _official(files, num_images, clean_of_mnist_c(Path(config.ood_path), clean[..., 0]))
    corruptions = CIFAR_C_ALL if config.corruptions == "all" else CIFAR_C_MAIN
    if config.ood_path is None:
        _check_form(clean)
        folder = None if config.frost_textures is None else Path(config.frost_textures)
        return _regenerated_cifar_c(clean, corruptions, folder, data.from_jpeg, num_processes)
    published = CIFAR100_C if data_config.kind == "cifar100" else CIFAR10_C
    labels = data.test_labels[:num_images].numpy()
    verify = data_config.verify_checksums
    files = open_cifar_c(Path(config.ood_path), published, corruptions, labels, verify=verify)
    return _official(files, num_images, clean)


def _check_form(images: Images) -> None:
    height, width, channels = images.shape[1:]
    if (height, width, channels) != (SIDE, SIDE, 3):
        colour = "gray" if channels == 1 else "colour"
        raise UserError(
            "invalid_config",
            f"`evaluate.ood` is `cifar_c`, corruptions of {SIDE} x {SIDE} colour images, but the test images are "
            f"{width} x {height}, {colour}",
            hint="set `evaluate.ood=none`",
        )


def _official(files: Mapping[str, list[Images]], num_images: int, clean: Images) -> CorruptedTestSet:
    """`clean`: the images without a corruption, as published where they are, else the test set's own."""

    def load(corruption: str, severity: int) -> torch.Tensor:
        return _to_tensor(files[corruption][severity - 1][:num_images])

    severities = tuple(range(1, 1 + len(next(iter(files.values())))))
    return CorruptedTestSet(
        tuple(files), severities, num_images, regenerated=False, load=load, load_clean=lambda: _to_tensor(clean)
    )


def _regenerated_mnist_c(clean: Images, num_processes: int) -> CorruptedTestSet:
    recipes = {(name, 1): Recipe("mnist_c", name, None, CORRUPTION_SEED) for name in MNIST_C_CORRUPTIONS}
    return _regenerated("mnist_c", recipes, Source(clean), num_processes, left_out={}, made_with={})


def _regenerated_cifar_c(
    clean: Images, corruptions: tuple[str, ...], frost_folder: Path | None, from_jpeg: bool, num_processes: int
) -> CorruptedTestSet:
    textures = find_frost_textures(frost_folder)
    left_out = {}
    if textures is None:
        left_out["frost"] = NO_FROST
        corruptions = tuple(name for name in corruptions if name != "frost")
    if from_jpeg:
        left_out["jpeg_compression"] = JPEG_TWICE
    recipes = {
        (name, severity): Recipe("cifar_c", name, severity, CORRUPTION_SEED)
        for name, severity in product(corruptions, SEVERITIES)
    }
    source = Source(clean, None if textures is None else textures.pictures)
    made_with = {} if textures is None else {"frost": textures.provenance}
    return _regenerated("cifar_c", recipes, source, num_processes, left_out, made_with)


def _regenerated(
    benchmark: Benchmark,
    recipes: Mapping[tuple[str, int], Recipe],
    source: Source,
    num_processes: int,
    left_out: Mapping[str, str],
    made_with: Mapping[str, str],
) -> CorruptedTestSet:
    folder = default_cache_folder()

    def load(corruption: str, severity: int) -> torch.Tensor:
        return _to_tensor(cached_corruption(recipes[corruption, severity], source, folder))

    def load_clean() -> torch.Tensor:
        return _to_tensor(cached_corruption(Recipe(benchmark, CLEAN, None, CORRUPTION_SEED), source, folder))

    def make(should_stop: Callable[[], bool]) -> Progress:
        return make_ahead(
            list(recipes.values()), source, cache_folder=folder, num_processes=num_processes, should_stop=should_stop
        )

    corruptions, severities = (tuple(dict.fromkeys(part)) for part in zip(*recipes, strict=True))
    return CorruptedTestSet(
        corruptions,
        severities,
        len(source.images),
        regenerated=True,
        load=load,
        load_clean=load_clean,
        make_ahead=make,
        left_out=left_out,
        made_with=made_with,
    )


def _to_tensor(images: Images) -> torch.Tensor:
    """uint8 [n, H, W] or [n, H, W, C] -> [n, C, H, W]; a copy, as published files are mapped read-only."""
    tensor = torch.from_numpy(images.copy())
    return tensor.unsqueeze(1) if tensor.ndim == 3 else tensor.permute(0, 3, 1, 2).contiguous()
