"""Worst-case sharpness of one batch, all parameters in scope, against the published algorithm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from benchmarks.baseline_sharpness import published_sharpness_worst
from benchmarks.rows import Row, Target, compared
from benchmarks.settings import BenchmarkSettings, as_trained, random_points, trained_network
from benchmarks.timing import take_turns
from thawline.probes import ClassificationObjective, ProbeSet
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope
from thawline.probes.sharpness import SearchKind, network_surfaces, sharpness_worst
from thawline.trainers.memory_format import memory_format_for

PART = "sharpness-worst"
RHO, ITERATIONS = 0.01, 15


class Kind(NamedTuple):
    """A search, and its tolerance; Auto-PGD takes all of its iterations."""

    search: SearchKind
    tolerance: float
    what: str
    targets: dict[int, Target]


KINDS = (
    Kind("sphere", 0.005, "search on the sphere", {width: Target(at_least=4) for width in (8, 16, 64)}),
    Kind(
        "apgd",
        0.0,
        f"{ITERATIONS} iterations",
        {8: Target(at_least=1.2), **dict.fromkeys((16, 64), Target(at_least=1.35))},
    ),
)
# Auto-PGD should find the same maximum, by this relative difference; the sphere at least this share of it.
TOLERANCE, LEAST_SHARE = 0.01, 0.98


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    for width in settings.widths_or((8, 16, 64)):
        points = settings.points_of(width)
        rounds = settings.rounds_of(width, narrow=3, wide=1)
        network = trained_network(width, settings.device)
        inputs, labels = random_points(points, settings.device)
        for kind in KINDS:
            searches = Searches(kind, network, inputs, labels, settings.micro_batch)
            sides = {"thawline": searches.thawline, "published algorithm, NCHW": searches.published}
            yield compared(
                "speedup",
                PART,
                f"{kind.what} on ResNet-18, width {width}",
                take_turns(sides, rounds, settings.clock),
                kind.targets.get(width),
                settings.described(width, rounds, points=points),
                [searches.agreement()],
            )


class Searches:
    """Both searches on the same weights and points, each in its own memory format; keeps what they found."""

    def __init__(self, kind: Kind, network: nn.Module, inputs: Tensor, labels: Tensor, micro_batch: int) -> None:
        self._kind, self._micro_batch = kind, micro_batch
        self._network, self._inputs, self._labels = network, inputs, labels
        self._copy = as_trained(network, inputs.device)
        memory_format = memory_format_for(network, inputs.device)
        self._probe_set = ProbeSet([(inputs.contiguous(memory_format=memory_format), labels)])
        self._values = (0.0, 0.0)

    def thawline(self) -> None:
        self._values = (worst_of(self._kind, self._copy, self._probe_set, self._micro_batch), self._values[1])

    def published(self) -> None:
        found = published_sharpness_worst(self._network, self._inputs, self._labels, RHO, ITERATIONS)
        self._values = (self._values[0], found)

    def agreement(self) -> str:
        ours, published = self._values
        is_near = abs(ours / published - 1) <= TOLERANCE
        verdict = (
            "agree" if is_near or (self._kind.search == "sphere" and ours >= LEAST_SHARE * published) else "DISAGREE"
        )
        return f"values {verdict}: {ours:.6g} and {published:.6g} ({ours / published - 1:+.2%})"


def worst_of(kind: Kind, network: nn.Module, probe_set: ProbeSet, micro_batch: int) -> float:
    scope = resolve_scope(network, "trainable")
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        surfaces = network_surfaces(network, ClassificationObjective("head"), probe_set, scope, weights, micro_batch)
        worst = sharpness_worst(
            surfaces,
            probe_set,
            scope,
            rho=RHO,
            iterations=ITERATIONS,
            search=kind.search,
            tolerance=kind.tolerance,
            poll=lambda: None,
        )
    return float(worst.best_increases.mean())
