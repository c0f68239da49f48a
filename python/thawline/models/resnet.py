"""ResNet-18 for small images (He et al. 2016, with the CIFAR stem): a 3 x 3 stem of stride 1 and no max-pooling."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from thawline.config.run import ResNet18Config
from thawline.models.family import ImageTask, ModelFamily
from thawline.steering.blocks import BlockMap, blocks_from_patterns


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
    """Images float [n, in_channels, H, W] -> logits [n, num_classes]; 28 x 28 and 32 x 32 inputs both end at 4 x 4."""

    def __init__(self, width: int, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, stride=1)
        self.layer2 = _stage(width, 2 * width, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, stride=2)
        self.layer4 = _stage(4 * width, 8 * width, stride=2)
        self.head = nn.Linear(8 * width, num_classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The head's inputs [n, 8 * width]."""
        hidden = functional.relu(self.bn1(self.conv1(images)))
        hidden = self.layer4(self.layer3(self.layer2(self.layer1(hidden))))
        # mean, not adaptive_avg_pool2d: the backward pass of the latter is not deterministic on CUDA.
        features: torch.Tensor = hidden.mean(dim=(2, 3))
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.features(images))
        return logits


def _stage(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(in_channels, out_channels, stride), BasicBlock(out_channels, out_channels, 1))


def build_resnet18(*, width: int = 64, in_channels: int, num_classes: int) -> ResNet18:
    """A freshly initialised ResNet-18 (PyTorch's default initialisation, drawn from the global generator).

    `width` is the first stage's number of channels; the paper's model has 64. Narrower ones are scaled-down runs.
    """
    return ResNet18(width, in_channels, num_classes)


def resnet18_blocks(model: nn.Module) -> BlockMap:
    """layer4, layer3, layer2, layer1, stem (first convolution and its BatchNorm), and the head."""
    stages = [(f"layer{i}", rf"^layer{i}\.") for i in (4, 3, 2, 1)]
    return blocks_from_patterns(model, [*stages, ("stem", r"^(conv1|bn1)\.")], r"^head\.")


def _build(config: ResNet18Config, task: ImageTask) -> nn.Module:
    return build_resnet18(width=config.width, in_channels=task.in_channels, num_classes=task.num_classes)


RESNET18 = ModelFamily(_build, lambda _, model: resnet18_blocks(model), runs_in_definition_order=True)
