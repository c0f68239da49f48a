"""What a corrupted test set is made of, and by: everything that its pixels depend on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from thawline.data.corruptions import cifar_c, mnist_c
from thawline.data.corruptions.conventions import Images
from thawline.data.frost_textures import textures_sha256

CLEAN: Final = "identity"
"""No corruption: the clean images, on the way that corrupted ones take."""

Benchmark = Literal["mnist_c", "cifar_c"]


@dataclass(frozen=True)
class Recipe:
    """One corruption; `severity` is 1 to 5 for CIFAR-C, None for MNIST-C, which has one only."""

    benchmark: Benchmark
    corruption: str
    severity: int | None
    seed: int


@dataclass(frozen=True)
class Source:
    """The clean test images, uint8 [n, 28, 28] or [n, 32, 32, 3], and what frost takes besides (None: no frost)."""

    images: Images
    frost_textures: tuple[Images, ...] | None = None

    @cached_property
    def images_sha256(self) -> str:
        return hashlib.sha256(self.images.tobytes()).hexdigest()

    @cached_property
    def textures_sha256(self) -> str:
        assert self.frost_textures is not None
        return textures_sha256(self.frost_textures)


def make(recipe: Recipe, source: Source) -> Images:
    if recipe.corruption == CLEAN:
        return source.images.copy()
    if recipe.severity is None:
        return mnist_c.corrupt(source.images, recipe.corruption, recipe.seed)
    textures = source.frost_textures
    return cifar_c.corrupt(source.images, recipe.corruption, recipe.severity, recipe.seed, textures)


def describe(recipe: Recipe, source: Source) -> dict[str, object]:
    """Two sets of the same description have the same pixels."""
    version = mnist_c.PARAMETERS_VERSION if recipe.benchmark == "mnist_c" else cifar_c.PARAMETERS_VERSION
    description: dict[str, object] = {
        "parameters_version": version,
        "corruption": recipe.corruption,
        "seed": recipe.seed,
        "count": len(source.images),
        "source_sha256": source.images_sha256,
    }
    if recipe.severity is not None:
        description["severity"] = recipe.severity
    if recipe.corruption == "frost":
        description["textures_sha256"] = source.textures_sha256
    return description
