"""Common random numbers: every draw is a pure function of the seed and of what it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from thawline.host.determinism import derive_generator

CPU = torch.device("cpu")

NoiseKind = Literal["antithetic", "independent"]


def label_uniforms(seed: int, points: int, softmax: int) -> Tensor:
    """One uniform number in [0, 1) per probe point for one softmax, float64 [points], the same at every boundary."""
    generator = derive_generator(seed, "probe_labels", softmax)
    return torch.rand(points, generator=generator, dtype=torch.float64)


def label_signs(seed: int, points: int, softmax: int) -> Tensor:
    """A random sign per probe point, float64 [points]; +1 for the first softmax, whose sign would change nothing."""
    if softmax == 0:
        return torch.ones(points, dtype=torch.float64)
    generator = derive_generator(seed, "probe_label_signs", softmax)
    return torch.randint(0, 2, (points,), generator=generator).double() * 2 - 1


def search_start(dimension: int, seed: int) -> Tensor:
    """A random direction from which the first search for an eigenvector starts, fp32 [dimension] on the CPU."""
    return torch.randn(dimension, generator=derive_generator(seed, "probe_search_start"))


def weight_noise(
    named_sizes: Sequence[tuple[str, int]],
    rho: float,
    seed: int,
    batch: int,
    draw: int,
    device: torch.device = CPU,
) -> Tensor:
    """delta ~ N(0, rho^2) per coordinate as one flat vector on `device`, fp32, parameter after parameter.

    Each parameter has a generator of its own, so its noise does not depend on which others are in scope. Slices of a
    contiguous buffer are filled: `normal_` into a channels_last tensor is several times slower and orders the numbers
    differently. A CUDA device draws by itself, and other numbers than the CPU: drawing there and copying took 39 times
    as long as the forward passes of a full-width ResNet-18.
    """
    drawn_on = device if device.type == "cuda" else CPU
    noise = torch.empty(sum(size for _, size in named_sizes), dtype=torch.float32, device=drawn_on)
    start = 0
    for name, size in named_sizes:
        generator = derive_generator(seed, "probe_weight_noise", batch, draw, name, device=drawn_on)
        noise[start : start + size].normal_(generator=generator)
        start += size
    return noise.mul_(rho).to(device)


def perturbations(kind: NoiseKind, draws: int, noise: Callable[[int], Tensor]) -> Iterator[Tensor]:
    """`draws` perturbations of `noise(index)`, one at a time: each its own, or each followed by its opposite."""
    if kind == "independent":
        yield from map(noise, range(draws))
        return
    for index in range(draws // 2):
        delta = noise(index)
        yield delta
        # Not in place: whoever stacks them keeps both.
        yield -delta


def draws_of(kind: NoiseKind, increases: Tensor) -> Tensor:
    """What is independent among the increases [perturbations, points] of `perturbations`: themselves, or pairs.

    The mean of a pair, [pairs, points], has lost the odd terms of the loss in delta, its slope above all: they are as
    large on one side as they are small on the other.
    """
    return increases if kind == "independent" else increases.view(-1, 2, increases.shape[-1]).mean(dim=1)
