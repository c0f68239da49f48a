"""What a benchmark is run with, and the networks and images it runs on."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.timing import Clock
from thawline.data.vision import normalize
from thawline.models.resnet import build_resnet18
from thawline.probes.objective import MICRO_BATCH
from thawline.steering.batch_norm import batch_norm_layers, calibrate
from thawline.trainers.memory_format import memory_format_for

CLASSES = 10
CIFAR_SHAPE = (3, 32, 32)
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
# From this width on a network is timed on fewer points and in fewer rounds.
WIDE = 32


@dataclass(frozen=True)
class BenchmarkSettings:
    """Options of the command line; None for each part's own choice. `micro_batch` is that of thawline's probes."""

    clock: Clock
    threads: int
    quick: bool
    widths: tuple[int, ...] | None = None
    points: int | None = None
    rounds: int | None = None
    encoder: Path | None = None
    questions: Path | None = None
    micro_batch: int = MICRO_BATCH

    @property
    def device(self) -> torch.device:
        return self.clock.device

    def widths_or(self, default: tuple[int, ...]) -> tuple[int, ...]:
        return self.widths or ((8,) if self.quick else default)

    def points_of(self, width: int) -> int:
        """Images in one batch of a probe set: the paper's 256, fewer for wide networks."""
        return self.points or (16 if self.quick else 256 if width < WIDE else 128)

    def micro_batches_of(self, points: int) -> list[int]:
        """Sizes of which a baseline may choose the fastest."""
        return [16, *(size for size in (32, 64, 128, 256) if size <= points)]

    def rounds_of(self, width: int, narrow: int, wide: int) -> int:
        return self.rounds_or(narrow if width < WIDE else wide)

    def rounds_or(self, default: int) -> int:
        return self.rounds or (1 if self.quick else default)

    def described(self, width: int, rounds: int, **more: int | str) -> dict[str, int | str]:
        """What is printed below a row."""
        return {"width": width, **self.described_without_width(rounds, **more)}

    def described_without_width(self, rounds: int, **more: int | str) -> dict[str, int | str]:
        return {
            **more,
            "rounds": rounds,
            "threads": self.threads,
            "device": self.device.type,
            "clock": self.clock.kind,
        }


def random_images(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images uint8 [count, 3, 32, 32] and labels int64 [count]: speed does not depend on what is in the pictures."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, *CIFAR_SHAPE), dtype=torch.uint8, generator=generator)
    return images, torch.randint(0, CLASSES, (count,), generator=generator)


def random_points(
    count: int, device: torch.device, memory_format: torch.memory_format = torch.contiguous_format
) -> tuple[Tensor, Tensor]:
    """Normalised images float32 [count, 3, 32, 32] and labels, as a probe set holds them."""
    images, labels = random_images(count)
    return normalize(images.to(device), MEAN, STD, memory_format=memory_format), labels.to(device)


def new_network(width: int, device: torch.device) -> nn.Module:
    """ResNet-18 as it is made, in train mode, with contiguous weights."""
    torch.manual_seed(0)
    return build_resnet18(width=width, in_channels=CIFAR_SHAPE[0], num_classes=CLASSES).to(device)


def trained_network(width: int, device: torch.device) -> nn.Module:
    """A few updates from the start, in eval mode, BatchNorm statistics calibrated: a loss with a usual neighbourhood.

    Contiguous weights; the sides of a comparison take copies in their own format.
    """
    network = new_network(width, device)
    inputs, labels = random_points(64, device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(network(inputs), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    optimizer.zero_grad()
    calibrate(network, batch_norm_layers(network), [inputs])
    return network.eval()


def as_trained(network: nn.Module, device: torch.device) -> nn.Module:
    """A copy of the network with its weights in the memory format that the vision trainer gives them."""
    memory_format = memory_format_for(network, device)
    moved: nn.Module = copy.deepcopy(network).to(memory_format=memory_format)  # type: ignore[call-overload]
    return moved
