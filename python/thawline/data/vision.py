"""Image data in memory, and the order, normalization and augmentation of training batches.

Everything random here is a function of (seed, update): a resumed run needs no iterator state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch.nn import functional

from thawline.data.upload import upload
from thawline.host.determinism import derive_generator, permutation


class Normalization(NamedTuple):
    """Mean and standard deviation per channel, of pixels scaled to [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class VisionData:
    """A classification data set: images uint8 [N, C, H, W], labels int64 [N] in range(num_classes).

    `from_jpeg`: the test images were read from JPEG files, so they are not those of a benchmark that has them exactly.
    """

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    num_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    from_jpeg: bool = False

    @property
    def normalization(self) -> Normalization:
        return Normalization(self.mean, self.std)


def normalize(
    images: torch.Tensor,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> torch.Tensor:
    """(images / 255 - mean) / std per channel: uint8 [n, C, H, W] -> float32 [n, C, H, W] in `memory_format`."""
    assert images.dtype == torch.uint8
    assert images.shape[1] == len(mean) == len(std)
    normalized = images.to(torch.float32, memory_format=memory_format, copy=True)
    # Channel by channel with Python scalars: constants as a tensor would be copied to the device for every batch.
    for channel, (channel_mean, channel_std) in enumerate(zip(mean, std, strict=True)):
        normalized[:, channel].div_(255).sub_(channel_mean).div_(channel_std)
    return normalized


@dataclass(frozen=True)
class ImageInputs:
    """How images become the inputs of a network: normalised, on its device, in its memory format."""

    normalization: Normalization
    device: torch.device
    memory_format: torch.memory_format = torch.contiguous_format

    def of(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 [n, C, H, W], wherever they are -> float32 [n, C, H, W]."""
        return normalize(images.to(self.device), *self.normalization, memory_format=self.memory_format)


def updates_per_epoch(num_examples: int, batch_size: int) -> int:
    """Batches that cover all examples once; the short last one counts (60,000 / 128 -> 469)."""
    return -(-num_examples // batch_size)


def batch_indices(update: int, *, num_examples: int, batch_size: int, seed: int) -> torch.Tensor:
    """The examples of one update (1, 2, ...): int64 [batch_size], fewer in the last update of an epoch.

    A pure function of its arguments; within an epoch every example comes exactly once.
    """
    assert update >= 1
    assert num_examples >= 1
    epoch, batch = divmod(update - 1, updates_per_epoch(num_examples, batch_size))
    order = _epoch_order(seed, num_examples, epoch)
    # A copy: a caller that writes into its batch must not change the cached order.
    return order[batch * batch_size : (batch + 1) * batch_size].clone()


@lru_cache(maxsize=1)
def _epoch_order(seed: int, num_examples: int, epoch: int) -> torch.Tensor:
    """Drawing 60,000 indices for each batch of 128 would cost more than the batch; one epoch's order is kept."""
    return permutation(seed, "data_order", num_examples, epoch)


def augment_batch(images: torch.Tensor, *, padding: int, flip: bool, seed: int, update: int) -> torch.Tensor:
    """Zero-pad by `padding`, crop back to size at a random place; if `flip`, mirror each image with probability 1/2.

    images uint8 [n, C, H, W] -> the same shape: a pure function of the images, (seed, update) and the two settings.
    """
    num_images, _, height, width = images.shape
    generator = derive_generator(seed, "augmentation", update)
    top, left = upload(torch.randint(2 * padding + 1, (2, num_images), generator=generator), images.device)
    mirrored = upload(torch.randint(2, (num_images, 1, 1, 1), generator=generator), images.device) == 1
    padded = functional.pad(images, [padding] * 4)
    crops = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: [n, C, top, left, H, W]
    cropped = crops[torch.arange(num_images, device=images.device), :, top, left]
    return torch.where(mirrored, cropped.flip(3), cropped) if flip else cropped
