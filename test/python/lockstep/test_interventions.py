"""Every option of the intervention, with the core's own grants, against the paper's text: bit for bit, each update.

The grants are those of test/vectors/interventions, which a test on the other side holds to the core.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import torch
from three_blocks import (
    BLOCKS,
    HEAD,
    LEARNING_RATE,
    MOMENTUM,
    WEIGHT_DECAY,
    FrozenBatchNorm,
    Intervention,
    Reference,
    Snapshot,
    ThreeBlocks,
    build_three_blocks,
    calibration_inputs,
    copies,
    draw_batch,
    schedule,
)
from torch.nn import functional

from thawline.lockstep.abilities import Facts, SteeredModel
from thawline.lockstep.session import Session
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings
from thawline.steering.batch_norm import BatchNormPolicy
from thawline.steering.blocks import BlockMap, blocks_from_patterns
from thawline.steering.group_blocks import split_by_block
from thawline.steering.rates import ScheduledRates
from thawline.wire.channel import ScriptedChannel
from thawline.wire.protocol import Applied, Boundary, Finished, Grant, Stop

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "interventions" / "grants.json").read_text())
BY_NAME: dict[str, dict[str, Any]] = {vector["name"]: vector for vector in VECTORS}
MODES: tuple[FrozenBatchNorm, ...] = get_args(FrozenBatchNorm)


def intervention_of(vector: dict[str, Any]) -> Intervention:
    known = {field.name for field in dataclasses.fields(Intervention)}
    settings = {key: value for key, value in vector["intervention"].items() if key in known}
    return Intervention(**settings, unfreezing_order=vector["unfreezing_order"])


class GrantedTraining:
    """The network under the grants of a vector, with momentum, weight decay and a schedule of its own."""

    def __init__(self, vector: dict[str, Any], frozen_batch_norm: FrozenBatchNorm) -> None:
        grants = [msgspec.convert(grant, Grant) for grant in vector["grants"]]
        self.num_updates: int = vector["num_updates"]
        self.channel = ScriptedChannel([*grants, Stop("finished", False)])
        self.model = build_three_blocks()
        blocks = blocks_from_patterns(self.model, BLOCKS, HEAD)
        intervention = intervention_of(vector)
        whole = [{"params": list(self.model.parameters())}]
        groups = whole if intervention.release_warmup is None else split_by_block(whole, self.model, blocks)
        self.optimizer = torch.optim.SGD(groups, lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        batch_norm = BatchNormPolicy(
            self.model,
            frozen_batch_norm,
            calibration_inputs=calibration_inputs,
            recalibrates=intervention.order != "top_down",
            start=intervention.start,
        )
        self.session = Session(
            self.channel,
            SteeredModel(self.model, blocks, ScheduledRates(self.optimizer, schedule), batch_norm),
            Facts(self.num_updates, None, "cpu", 1, 0),
            run_folder=Path("/nowhere"),
            prober=small_prober(self.model, blocks, intervention.start),
        )
        self.model.train()

    def update(self) -> None:
        self.session.before_update()
        images, labels = draw_batch(self.session.step + 1)
        loss = functional.cross_entropy(self.model(images), labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.session.after_update(loss)

    def snapshot(self) -> Snapshot:
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        momentum = {names[parameter]: entry["momentum_buffer"] for parameter, entry in self.optimizer.state.items()}
        return Snapshot(copies(self.model.state_dict()), copies(momentum))


def small_prober(model: ThreeBlocks, blocks: BlockMap, start: int) -> Prober:
    images, labels = draw_batch(0, 8)
    names = [name for block in (blocks.head, *blocks.blocks) for name in block.parameter_names]
    settings = ProbeSettings(seed=0, all_parameter_names=names, tau=2, every=1, start=start)
    return Prober(model, ClassificationObjective(head_name="head"), ProbeSet.split(images, labels, 4), settings)


def differences(ours: Snapshot, theirs: Snapshot) -> set[str]:
    """Names of the tensors that are not the same bits, or that one side lacks."""

    def differing(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> set[str]:
        return {
            name for name in a.keys() | b.keys() if name not in a or name not in b or not torch.equal(a[name], b[name])
        }

    momentum = {f"momentum of {name}" for name in differing(ours.momentum, theirs.momentum)}
    return differing(ours.state, theirs.state) | momentum


@pytest.mark.parametrize("frozen_batch_norm", MODES)
@pytest.mark.parametrize("name", BY_NAME)
def test_each_update_is_the_papers_bit_for_bit(name: str, frozen_batch_norm: FrozenBatchNorm) -> None:
    training = GrantedTraining(BY_NAME[name], frozen_batch_norm)
    reference = Reference(intervention_of(BY_NAME[name]), frozen_batch_norm)
    training.session.begin()
    for update in range(1, training.num_updates + 1):
        training.update()
        reference.update(update)
        assert differences(training.snapshot(), reference.snapshot()) == set(), f"after update {update}"
    training.session.finish()
    assert isinstance(training.channel.sent[-1], Finished)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_worker_stands_where_every_grant_ends_and_measures_what_it_asks_for(name: str) -> None:
    vector = BY_NAME[name]
    training = GrantedTraining(vector, "track")
    training.session.begin()
    for _ in range(training.num_updates):
        training.update()
    training.session.finish()
    stood = [body for body in training.channel.sent if isinstance(body, Boundary)]
    assert [body.update for body in stood] == [grant["until"] for grant in vector["grants"]]
    assert [bool(body.metrics) for body in stood] == [bool(grant["probe"]) for grant in vector["grants"]]


def test_of_a_late_start_every_point_sees_the_head_alone_and_pairs_with_the_one_before() -> None:
    training = GrantedTraining(BY_NAME["late start, online"], "track")
    training.session.begin()
    for _ in range(training.num_updates):
        training.update()
    masks = [(body.update, body.num_trainable) for body in training.channel.sent if isinstance(body, Applied)]
    count = {name: sum(p.numel() for p in layer.parameters()) for name, layer in training.model.named_children()}
    assert masks[:2] == [(1, sum(count.values())), (4, count["head"])]

    measured = [body for body in training.channel.sent if isinstance(body, Boundary) and body.metrics]
    assert [body.update for body in measured] == list(range(4, measured[-1].update + 1))
    points = [next(metric for metric in body.metrics if metric.key == "probe/fisher_trace") for body in measured]
    assert [point.change_standard_error is not None for point in points] == [False, *[True] * (len(points) - 1)]
    assert [point.span_standard_error is not None for point in points] == [False, False, *[True] * (len(points) - 2)]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("k = 2", {"k": 3}),
        ("k = 2", {"first_unfreeze": "paper41"}),
        ("k = 2", {"kind": "head_then_full"}),
        ("k = 2", {"unfreezing_order": ["stem", "middle", "top"]}),
        ("late start", {"start": 4}),
        ("low to high", {"k": 4}),
        ("low to high", {"before": 1.0}),
        ("high to low, late start", {"start": 1}),
        ("release warm-up", {"release_warmup": None}),
        ("release warm-up longer than k", {"release_warmup": 6}),
        ("head, then everything, release warm-up", {"release_warmup": 4}),
    ],
)
def test_the_reference_tells_another_intervention_apart(name: str, change: dict[str, Any]) -> None:
    """Else the comparison above would prove nothing."""
    intervention = intervention_of(BY_NAME[name])
    assert differences(trained(intervention), trained(replace(intervention, **change))) != set()


@pytest.mark.parametrize("name", ["k = 2", "bottom up", "late start"])
def test_the_reference_tells_what_frozen_batch_norm_does_apart(name: str) -> None:
    ends = [trained(intervention_of(BY_NAME[name]), mode) for mode in MODES]
    assert all(differences(a, b) for a, b in zip(ends, [*ends[1:], ends[0]], strict=True))


def trained(intervention: Intervention, frozen_batch_norm: FrozenBatchNorm = "track") -> Snapshot:
    reference = Reference(intervention, frozen_batch_norm)
    for update in range(1, 13):
        reference.update(update)
    return reference.snapshot()
