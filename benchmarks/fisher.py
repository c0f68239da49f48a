"""tr(F) by per-example gradient norms, all parameters in scope: against one forward and backward pass, and vmap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import Tensor, nn

from benchmarks.baseline_gradients import forward_and_backward, squared_norms_by_vmap
from benchmarks.rows import Row, Target, compared
from benchmarks.settings import BenchmarkSettings, as_trained, random_points, trained_network
from benchmarks.timing import Action, fastest, take_turns
from thawline.probes import ClassificationObjective, ProbeSet
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.fisher import fisher_trace_per_example
from thawline.probes.label_source import LabelSource
from thawline.probes.scope import measuring, resolve_scope
from thawline.trainers.memory_format import memory_format_for

PART = "fisher"
COST_TARGETS = {8: Target(at_most=1.5), 16: Target(at_most=1.2), 64: Target(at_most=0.9)}
VMAP_TARGETS = {64: Target(at_least=4)}
# The sums of float32 squares of the two sides differ by rounding.
TOLERANCE = 1e-3


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    for width in settings.widths_or((8, 16, 64)):
        points = settings.points_of(width)
        network = as_trained(trained_network(width, settings.device), settings.device)
        inputs, labels = random_points(points, settings.device, memory_format_for(network, settings.device))
        yield cost_row(settings, width, network, inputs, labels)
        yield vmap_row(settings, width, network, inputs, labels)


def cost_row(settings: BenchmarkSettings, width: int, network: nn.Module, inputs: Tensor, labels: Tensor) -> Row:
    rounds = settings.rounds_of(width, narrow=9, wide=5)
    plain = {
        size: partial(forward_and_backward, network, inputs, labels, size)
        for size in settings.micro_batches_of(len(labels))
    }
    micro_batch = fastest(plain, settings.clock)
    sides: dict[str, Action] = {
        "thawline": FisherTraceOf(network, inputs, labels, settings.micro_batch).measure,
        f"forward and backward pass in micro-batches of {micro_batch}": plain[micro_batch],
    }
    return compared(
        "share",
        PART,
        f"tr(F) per example on ResNet-18, width {width}",
        take_turns(sides, rounds, settings.clock),
        COST_TARGETS.get(width),
        settings.described(width, rounds, points=len(labels)),
    )


def vmap_row(settings: BenchmarkSettings, width: int, network: nn.Module, inputs: Tensor, labels: Tensor) -> Row:
    """On fewer points: vmap(grad) takes minutes at full width. True labels, so that both sides find the same number."""
    rounds = settings.rounds_of(width, narrow=3, wide=1)
    few = min(len(labels), 64 if width < 64 else 32)
    inputs, labels = inputs[:few], labels[:few]
    by_vmap = {chunk: partial(squared_norms_by_vmap, network, inputs, labels, chunk) for chunk in (8, 32)}
    chunk = 8 if settings.quick else fastest(by_vmap, settings.clock)
    ours = FisherTraceOf(network, inputs, labels, settings.micro_batch, "true")
    taken = take_turns(
        {"thawline": ours.measure, f"vmap(grad) in chunks of {chunk}": by_vmap[chunk]}, rounds, settings.clock
    )
    difference = ours.trace / float(by_vmap[chunk]().mean()) - 1
    agreement = "agree" if abs(difference) <= TOLERANCE else "DISAGREE"
    return compared(
        "speedup",
        PART,
        f"tr(F) per example against vmap(grad) on ResNet-18, width {width}",
        taken,
        VMAP_TARGETS.get(width),
        settings.described(width, rounds, points=few),
        [f"values {agreement} ({difference:+.1e})"],
    )


class FisherTraceOf:
    """tr(F) of a network on its points, as a prober measures it at every boundary after the first."""

    def __init__(
        self, network: nn.Module, inputs: Tensor, labels: Tensor, micro_batch: int, source: str = "sampled"
    ) -> None:
        self._micro_batch = micro_batch
        self._network = network
        self._probe_set = ProbeSet([(inputs, labels)])
        self._scope = resolve_scope(network, "trainable")
        self._objective = ClassificationObjective("head")
        self._source = LabelSource(source, seed=0, points=len(labels))  # type: ignore[arg-type]
        with measuring(network, self._scope):
            self._gradients = ExampleGradients(network, self._objective, self._scope, [(inputs, labels)])
        self.trace = 0.0

    def measure(self) -> None:
        with measuring(self._network, self._scope):
            self.trace = fisher_trace_per_example(
                self._network,
                self._objective,
                self._probe_set,
                self._gradients,
                self._source,
                lambda: None,
                self._micro_batch,
            ).trace
