"""VGG-11 for small images (Simonyan and Zisserman 2015, configuration A): 8 convolutions and a head of 3 linear layers.

The form whose size and accuracy fit the paper: 512 features after five poolings, no BatchNorm and no dropout.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from thawline.config.run import VGG11Config
from thawline.errors import UserError
from thawline.models.family import ImageTask, ModelFamily
from thawline.steering.blocks import BlockMap, blocks_from_patterns

# Output channels of the convolutions; a pooling follows where the second entry says so.
CONVOLUTIONS = (
    (64, True),
    (128, True),
    (256, False),
    (256, True),
    (512, False),
    (512, True),
    (512, False),
    (512, True),
)
NUM_FEATURES = CONVOLUTIONS[-1][0]
# Five poolings halve the image, so anything smaller has no pixel left before the head.
MIN_IMAGE_SIDE = 32


class VGG11(nn.Module):
    """Images float [n, in_channels, H, W], H and W at least 32 -> logits [n, num_classes]."""

    def __init__(self, in_channels: int, num_classes: int, batch_norm: bool, dropout: float, head_width: int) -> None:
        super().__init__()
        for number, (out_channels, _) in enumerate(CONVOLUTIONS, start=1):
            self.add_module(f"conv{number}", _convolution(in_channels, out_channels))
            self.add_module(f"bn{number}", nn.BatchNorm2d(out_channels) if batch_norm else nn.Identity())
            in_channels = out_channels
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(NUM_FEATURES, head_width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(head_width, head_width),
            nn.ReLU(),
            nn.Linear(head_width, num_classes),
        )

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The head's inputs [n, 512]."""
        assert min(images.shape[2:]) >= MIN_IMAGE_SIDE
        hidden = images
        for number, (_, pooled) in enumerate(CONVOLUTIONS, start=1):
            convolution, norm = self.get_submodule(f"conv{number}"), self.get_submodule(f"bn{number}")
            hidden = functional.relu(norm(convolution(hidden)))
            if pooled:
                hidden = functional.max_pool2d(hidden, 2)
        # 1 x 1 for the paper's 32 x 32 images, which this leaves as they are; larger images keep more positions.
        return hidden.mean(dim=(2, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.features(images))
        return logits


def _convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    """3 x 3 with bias; weights from N(0, 2 / (9 * out_channels)), the fan-out form, and biases zero."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    nn.init.normal_(convolution.weight, std=math.sqrt(2 / (9 * out_channels)))
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return convolution


def build_vgg11(
    *, in_channels: int, num_classes: int, batch_norm: bool = False, dropout: float = 0.0, head_width: int = 512
) -> VGG11:
    """A freshly initialised VGG-11, drawn from the global generator: 9,750,922 parameters for CIFAR-10.

    Linear layers have PyTorch's default initialisation. `dropout` acts before the first two of them.
    """
    return VGG11(in_channels, num_classes, batch_norm, dropout, head_width)


def vgg11_blocks(model: nn.Module) -> BlockMap:
    """conv8 .. conv1, each with the BatchNorm after it if there is one, and the head of three linear layers."""
    return blocks_from_patterns(model, [(f"conv{i}", rf"^(conv|bn){i}\.") for i in range(8, 0, -1)], r"^head\.")


def _build(config: VGG11Config, task: ImageTask) -> nn.Module:
    """Raises UserError `invalid_config` for images that are too small."""
    height, width = task.image_size
    if min(height, width) < MIN_IMAGE_SIDE:
        raise UserError(
            "invalid_config",
            f"`model.kind` is `vgg11`, whose five poolings leave nothing of images of {width} x {height}",
            hint=f"use images of at least {MIN_IMAGE_SIDE} x {MIN_IMAGE_SIDE}, or `model.kind=resnet18`",
        )
    return build_vgg11(
        in_channels=task.in_channels,
        num_classes=task.num_classes,
        batch_norm=config.batch_norm,
        dropout=config.dropout,
        head_width=config.head_width,
    )


VGG11_FAMILY = ModelFamily(_build, lambda _, model: vgg11_blocks(model), runs_in_definition_order=True)
