"""What a run has to know of a family of networks for images: how one is built, its blocks, the order of its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor, nn

from thawline.steering.blocks import BlockMap

Config = TypeVar("Config")


@dataclass(frozen=True)
class ImageTask:
    """What a network is built for. `examples` are a few images as it will read them: float32 [n, C, H, W]."""

    examples: Tensor
    num_classes: int

    @property
    def in_channels(self) -> int:
        return self.examples.shape[1]

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width)"""
        height, width = self.examples.shape[2:]
        return height, width


@dataclass(frozen=True)
class ModelFamily(Generic[Config]):
    """`build` draws weights from the global generators, which its caller seeds.

    `runs_in_definition_order`: the network calls its children once each, in the order in which it defines them, so that
    frozen ones can be run ahead for the probes.
    """

    build: Callable[[Config, ImageTask], nn.Module]
    blocks: Callable[[Config, nn.Module], BlockMap]
    runs_in_definition_order: bool
