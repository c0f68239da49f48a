"""ResNet-18 (He et al. 2016), with a stem for small images, or with the published one.

`cifar`: a 3 x 3 convolution of stride 1 and no max-pooling. `imagenet`: 7 x 7 of stride 2, and a 3 x 3 max-pooling of
stride 2, so that all that follows sees a sixteenth of the pixels.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

import torch
from torch import nn
from torch.nn import functional

from thawline.config.run import ResNet18Config
from thawline.errors import UserError
from thawline.models.family import ImageTask, ModelFamily
from thawline.steering.blocks import BlockMap, blocks_from_patterns

Stem = Literal["cifar", "imagenet"]
# With fewer the last stage would get a single pixel, and its stride would have nothing to halve.
MIN_SIDE_OF_IMAGENET_STEM: Final = 17
# Five times halved, rounded up.
SIDE_OF_LAST_PIXEL: Final = 32


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut: [n, in_channels, H, W] -> [n, out_channels, H / stride, W / stride]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out_channels))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(self.bn1(self.conv1(inputs)))
        return functional.relu(self.bn2(self.conv2(hidden)) + self.shortcut(inputs))


class ResNet18(nn.Module):
    """Images float [n, in_channels, H, W] -> logits [n, num_classes].

    28 x 28 and 32 x 32 inputs end at 4 x 4, with the stem of ImageNet at 1 x 1.
    """

    def __init__(self, width: int, in_channels: int, num_classes: int, stem: Stem = "cifar") -> None:
        super().__init__()
        self.pools = stem == "imagenet"
        kernel, stride, padding = (7, 2, 3) if stem == "imagenet" else (3, 1, 1)
        self.conv1 = nn.Conv2d(in_channels, width, kernel, stride=stride, padding=padding, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, stride=1)
        self.layer2 = _stage(width, 2 * width, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, stride=2)
        self.layer4 = _stage(4 * width, 8 * width, stride=2)
        self.head = nn.Linear(8 * width, num_classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The head's inputs [n, 8 * width]."""
        hidden = functional.relu(self.bn1(self.conv1(images)))
        if self.pools:
            hidden = functional.max_pool2d(hidden, 3, stride=2, padding=1)
        hidden = self.layer4(self.layer3(self.layer2(self.layer1(hidden))))
        # mean, not adaptive_avg_pool2d: the backward pass of the latter is not deterministic on CUDA.
        features: torch.Tensor = hidden.mean(dim=(2, 3))
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.features(images))
        return logits


def _stage(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(in_channels, out_channels, stride), BasicBlock(out_channels, out_channels, 1))


def build_resnet18(*, width: int = 64, in_channels: int, num_classes: int, stem: Stem = "cifar") -> ResNet18:
    """A freshly initialised ResNet-18 (PyTorch's default initialisation, drawn from the global generator).

    `width` is the first stage's number of channels; the paper's model has 64. Narrower ones are scaled-down runs.
    """
    return ResNet18(width, in_channels, num_classes, stem)


def resnet18_blocks(model: nn.Module) -> BlockMap:
    """layer4, layer3, layer2, layer1, stem (first convolution and its BatchNorm), and the head."""
    stages = [(f"layer{i}", rf"^layer{i}\.") for i in (4, 3, 2, 1)]
    return blocks_from_patterns(model, [*stages, ("stem", r"^(conv1|bn1)\.")], r"^head\.")


def _build(config: ResNet18Config, task: ImageTask) -> nn.Module:
    """Raises UserError `invalid_config` for images that are too small for the stem of ImageNet."""
    height, width = task.image_size
    if config.stem == "imagenet" and min(height, width) < MIN_SIDE_OF_IMAGENET_STEM:
        raise UserError(
            "invalid_config",
            f"`model.stem` is `imagenet`, whose strides leave nothing of images of {width} x {height}",
            hint=f"set `model.stem=cifar`, or use images of at least {MIN_SIDE_OF_IMAGENET_STEM} x "
            f"{MIN_SIDE_OF_IMAGENET_STEM}",
        )
    return build_resnet18(
        width=config.width, in_channels=task.in_channels, num_classes=task.num_classes, stem=config.stem
    )


def require_whole_batches(config: ResNet18Config, image_size: tuple[int, int], sizes: Collection[int]) -> None:
    """Raises UserError `invalid_config` where a training batch, of which `sizes` are all, has one image and one pixel.

    BatchNorm has no variance of a single value. With the stem of ImageNet the last stage sees images of up to 32 x 32
    as one pixel.
    """
    if config.stem == "imagenet" and max(image_size) <= SIDE_OF_LAST_PIXEL and 1 in sizes:
        raise UserError(
            "invalid_config",
            "an epoch ends with a batch of a single image, of which `model.stem=imagenet` leaves one pixel: BatchNorm "
            "cannot train on it",
            hint="set another `train.batch_size` or `data.max_train_examples`, or `model.stem=cifar`",
        )


RESNET18 = ModelFamily(_build, lambda _, model: resnet18_blocks(model), runs_in_definition_order=True)
