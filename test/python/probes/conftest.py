"""A residual network small enough for per-example loops in float64, with every layer type that the rules know."""

from collections.abc import Callable

import pytest
import torch
from pass_count import Counting
from torch import Tensor, nn
from torch.nn import functional

from thawline.probes import ClassificationObjective, ProbeSet

CLASSES = 5


class TinyResidualNetwork(Counting):
    """Images [n, 2, 6, 6] -> logits [n, 5]: strided, grouped and biased convolutions, a shortcut, in-place ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2)
        self.bn2 = nn.BatchNorm2d(8)
        self.shortcut = nn.Conv2d(4, 8, 1, stride=2, bias=False)
        self.hidden = nn.Linear(8, 7)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(7, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        self.count()
        stem = functional.relu(self.bn1(self.stem(images)), inplace=True)
        block = self.bn2(self.conv(stem))
        block += self.shortcut(stem)
        features = functional.relu(block, inplace=True).mean(dim=(2, 3))
        return self.fc(self.dropout(torch.tanh(self.hidden(features))))


@pytest.fixture
def network() -> TinyResidualNetwork:
    """With BatchNorm statistics and affine parameters away from their initial values."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network = TinyResidualNetwork()
        for module in (network.bn1, network.bn2):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return network


@pytest.fixture
def only_head_trainable() -> Callable[[nn.Module], None]:
    def freeze(network: nn.Module) -> None:
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith("fc."))

    return freeze


@pytest.fixture
def points() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(13, 2, 6, 6, generator=generator), torch.randint(0, CLASSES, (13,), generator=generator)


@pytest.fixture
def probe_set(points: tuple[Tensor, Tensor]) -> ProbeSet:
    """Three batches, the last one smaller."""
    return ProbeSet.split(*points, batch_size=5)


@pytest.fixture
def objective() -> ClassificationObjective:
    return ClassificationObjective(head_name="fc")
