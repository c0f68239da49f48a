"""Average-case sharpness of one batch, all parameters in scope, against as many plain forward passes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from benchmarks.baseline_gradients import forward
from benchmarks.rows import Row, Target, compared
from benchmarks.settings import BenchmarkSettings, as_trained, random_points, trained_network
from benchmarks.timing import fastest, take_turns
from thawline.probes import ClassificationObjective, ProbeSet
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope
from thawline.probes.sharpness import network_surfaces, sharpness_avg
from thawline.trainers.memory_format import memory_format_for

PART = "sharpness-avg"
RHO, DRAWS = 0.01, 16
TARGET = Target(at_most=1.1)


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    for width in settings.widths_or((8, 16, 64)):
        points = settings.points_of(width)
        rounds = settings.rounds_of(width, narrow=5, wide=3)
        network = as_trained(trained_network(width, settings.device), settings.device)
        inputs, labels = random_points(points, settings.device, memory_format_for(network, settings.device))
        micro_batch = fastest(
            {size: partial(forward, network, inputs, size) for size in settings.micro_batches_of(points)},
            settings.clock,
        )
        sides = {
            "thawline": partial(measured, network, ProbeSet([(inputs, labels)]), settings.micro_batch),
            f"{DRAWS + 1} forward passes in micro-batches of {micro_batch}": partial(
                forward_repeatedly, network, inputs, micro_batch
            ),
        }
        yield compared(
            "share",
            PART,
            f"{DRAWS // 2} antithetic pairs on ResNet-18, width {width}",
            take_turns(sides, rounds, settings.clock),
            TARGET,
            settings.described(width, rounds, points=points),
        )


def forward_repeatedly(network: torch.nn.Module, inputs: torch.Tensor, micro_batch: int) -> None:
    for _ in range(DRAWS + 1):
        forward(network, inputs, micro_batch)


def measured(network: torch.nn.Module, probe_set: ProbeSet, micro_batch: int) -> None:
    scope = resolve_scope(network, "trainable")
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        surfaces = network_surfaces(network, ClassificationObjective("head"), probe_set, scope, weights, micro_batch)
        sharpness_avg(surfaces, probe_set, scope, rho=RHO, draws=DRAWS, noise="antithetic", seed=0, poll=lambda: None)
