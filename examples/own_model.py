"""A model of one's own; examples/own_model.yaml names `build` and says which of its parameters are which block.

npx thawline run examples/own_model.yaml
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class TwoConvolutions(nn.Module):
    """Images [n, in_channels, H, W] -> logits [n, num_classes]."""

    def __init__(self, num_classes: int, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 5, padding=2)
        self.conv2 = nn.Conv2d(width, 2 * width, 5, padding=2)
        self.classifier = nn.Linear(2 * width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        hidden = functional.max_pool2d(torch.relu(self.conv1(images)), 2)
        hidden = functional.max_pool2d(torch.relu(self.conv2(hidden)), 2)
        return self.classifier(hidden.mean(dim=(2, 3)))


def build(num_classes: int, in_channels: int, image_size: tuple[int, int], *, width: int = 16) -> nn.Module:
    """thawline gives the sizes of the data, (height, width) in `image_size`, and what `model.options` has."""
    assert min(image_size) >= 4, "two poolings leave nothing of smaller images"
    return TwoConvolutions(num_classes, in_channels, width)
