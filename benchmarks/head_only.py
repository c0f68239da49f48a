"""The window in which only the head learns: an update against a full one, a boundary against the updates between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

from torch import nn

from benchmarks.rows import Row, Target, compared
from benchmarks.settings import BenchmarkSettings, as_trained, new_network, random_images, random_points
from benchmarks.timing import Action, take_turns
from benchmarks.updates import VisionTraining
from thawline.models.resnet import resnet18_blocks
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings
from thawline.steering.batch_norm import BatchNormPolicy
from thawline.steering.blocks import HEAD_NAME
from thawline.steering.freezing import apply_trainable
from thawline.trainers.memory_format import memory_format_for

PART = "head-only"
BATCH_SIZE = 128
UPDATE_TARGETS: dict[Literal["track", "calibrate"], Target] = {
    "track": Target(at_most=0.4),
    "calibrate": Target(at_most=0.35),
}
BOUNDARY_TARGET = Target(at_most=0.05)
PROBE_EVERY, PROBE_POINTS = 10, 512


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    for width in settings.widths_or((8, 16)):
        yield from update_rows(settings, width)
        yield boundary_row(settings, width)


def update_rows(settings: BenchmarkSettings, width: int) -> Iterator[Row]:
    updates = 1 if settings.quick else 4
    rounds = settings.rounds_of(width, narrow=7, wide=3)
    full = training(settings, as_trained(new_network(width, settings.device), settings.device))
    for frozen, target in UPDATE_TARGETS.items():
        head_only = training(settings, head_only_network(settings, width, frozen))
        sides = {"head only": partial(head_only.run, updates), "all trainable": partial(full.run, updates)}
        yield compared(
            "share",
            PART,
            f"update with frozen_batch_norm {frozen}, ResNet-18, width {width}",
            take_turns(sides, rounds, settings.clock),
            target,
            settings.described(width, rounds, batch=batch_size(settings), updates_a_turn=updates),
        )


def boundary_row(settings: BenchmarkSettings, width: int) -> Row:
    rounds = settings.rounds_of(width, narrow=7, wide=3)
    points = 16 if settings.quick else PROBE_POINTS
    network = head_only_network(settings, width, "calibrate")
    updates = training(settings, network)
    probe_set = ProbeSet.split(
        *random_points(points, settings.device, memory_format_for(network, settings.device)), batch_size=256
    )
    prober = Prober(
        network, ClassificationObjective("head"), probe_set, ProbeSettings(seed=0, micro_batch=settings.micro_batch)
    )
    sides: dict[str, Action] = {
        "tr(F) at a boundary": partial(prober.measure, 1, ["fisher_trace"]),
        f"{PROBE_EVERY} head-only updates": partial(updates.run, PROBE_EVERY),
    }
    return compared(
        "share",
        PART,
        f"boundary with tr(F), frozen_batch_norm calibrate, ResNet-18, width {width}",
        take_turns(sides, rounds, settings.clock),
        BOUNDARY_TARGET,
        settings.described(width, rounds, points=points, batch=batch_size(settings)),
    )


def batch_size(settings: BenchmarkSettings) -> int:
    return 8 if settings.quick else BATCH_SIZE


def training(settings: BenchmarkSettings, network: nn.Module) -> VisionTraining:
    size = batch_size(settings)
    return VisionTraining(network, *random_images(4 * size), batch_size=size, device=settings.device)


def head_only_network(settings: BenchmarkSettings, width: int, frozen: Literal["track", "calibrate"]) -> nn.Module:
    """As the session leaves it before update 1: head trainable, BatchNorm by its policy."""
    network = as_trained(new_network(width, settings.device), settings.device)
    apply_trainable(network, resnet18_blocks(network), [HEAD_NAME])
    inputs, _ = random_points(batch_size(settings), settings.device, memory_format_for(network, settings.device))
    policy = BatchNormPolicy(network, frozen, calibration_inputs=lambda update: [inputs], recalibrates=False)
    policy.apply(1, first=True)
    return network
