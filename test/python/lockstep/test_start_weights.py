"""How far blocks have moved: the numbers by hand, what has none, and what telling them costs and leaves alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from granting_channel import GrantingChannel
from msgspec import UNSET
from tiny_training import BLOCKS, HEAD, TinyTraining, adamw, build_network
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from thawline.lockstep import start_weights
from thawline.lockstep.start_weights import StartWeights
from thawline.steering.blocks import BlockMap, blocks_from_patterns
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Boundary
from thawline.wire.values import NonFinite

READS = {"tolist", "item", "cpu", "numpy", "__bool__", "__float__", "__int__", "nonzero"}


class HostReads(TorchFunctionMode):
    """Counts the places at which the host would wait for a device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += getattr(function, "__name__", "") in READS
        return function(*args, **(kwargs or {}))


def two_blocks(dtype: torch.dtype = torch.float32) -> tuple[nn.Module, BlockMap]:
    """A head with weights (3, 4) and a block of a weight (6, 8) and a bias 0."""
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1, bias=False)).to(dtype)
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[6.0, 8.0]]))
        model[0].bias.zero_()
        model[1].weight.copy_(torch.tensor([[3.0, 4.0]]))
    return model, blocks_from_patterns(model, [("stem", r"^0\.")], r"^1\.")


@pytest.mark.filterwarnings("ignore:Complex modules")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64])
def test_the_norm_of_what_was_added_over_the_norm_of_what_there_was(dtype: torch.dtype) -> None:
    model, block_map = two_blocks(dtype)
    start = StartWeights(model, block_map)
    assert start.moved() == [0.0, 0.0]
    with torch.no_grad():
        model[0].weight.add_(torch.tensor([[3.0, 0.0]]))
        model[0].bias.add_(4.0)
    assert start.moved() == [0.0, 0.5]
    with torch.no_grad():
        model[1].weight.mul_(-1)
    assert start.moved() == [2.0, 0.5]


def test_a_million_small_steps_are_added_up_to_six_digits() -> None:
    """In float32, added up one after another, the sum of so many squares stands still."""
    model = nn.Sequential(nn.Linear(1024, 1024, bias=False), nn.Linear(2, 1))
    block_map = blocks_from_patterns(model, [("stem", r"^0\.")], r"^1\.")
    start = StartWeights(model, block_map)
    before = model[0].weight.detach().clone()
    with torch.no_grad():
        model[0].weight.add_(torch.full((1024, 1024), 1e-4))
    expected = (model[0].weight.detach().double() - before.double()).norm() / before.double().norm()
    assert start.moved()[1] == pytest.approx(float(expected), rel=1e-6)


def test_buffers_do_not_count() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1))
    start = StartWeights(model, blocks_from_patterns(model, [("stem", r"^0\.")], r"^1\."))
    model(torch.randn(8, 2))
    assert start.moved() == [0.0, 0.0]


def test_a_block_that_began_at_zero_has_no_relative_distance() -> None:
    model, block_map = two_blocks()
    with torch.no_grad():
        model[1].weight.zero_()
    start = StartWeights(model, block_map)
    with torch.no_grad():
        model[1].weight.add_(1)
    assert start.moved() == [None, 0.0]


class Wrapped(Tensor):
    """A kind of tensor that computes by rules of its own."""


def test_a_block_whose_values_are_not_all_here_has_none() -> None:
    model, block_map = two_blocks()
    model[1].weight = nn.Parameter(torch.empty(1, 2, device="meta"))
    assert StartWeights(model, block_map).moved() == [None, 0.0]
    model, block_map = two_blocks()
    model[1].weight = nn.Parameter(torch.ones(1, 2).as_subclass(Wrapped))
    assert StartWeights(model, block_map).moved() == [None, 0.0]
    model, block_map = two_blocks()
    start = StartWeights(model, block_map)
    model[1].weight.data = torch.ones(2, 2)
    assert start.moved() == [None, 0.0]


def test_weights_that_diverged_are_said_to_have() -> None:
    channel = GrantingChannel({1: ["head", "top"]})
    training = TinyTraining(channel, follows_start=True)
    training.session.begin()
    with torch.no_grad():
        next(training.model.parameters()).fill_(math.nan)
    training.session.before_update()
    assert channel.sent_of(Boundary)[-1].moved == [0.0, 0.0, NonFinite("nan")]


def test_the_host_waits_once_however_many_blocks_there_are() -> None:
    model = build_network()
    start = StartWeights(model, blocks_from_patterns(model, BLOCKS, HEAD))
    with HostReads() as reads:
        start.moved()
    assert reads.count == 1
    with HostReads() as reads:
        next(model.parameters()).sum().item()
    assert reads.count == 1


def test_a_large_copy_stays_on_the_host_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, block_map = two_blocks()
    model.to(device)
    monkeypatch.setattr(start_weights, "LARGEST_COPY_ON_DEVICE", 19)
    start = StartWeights(model, block_map)
    with torch.no_grad():
        model[0].bias.add_(5.0)
    assert start.moved() == [0.0, 0.5]


def test_each_boundary_says_it_and_counts_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1, 1_000_000))
    monkeypatch.setattr("thawline.lockstep.stopwatch.time.perf_counter", lambda: float(next(ticks)))
    channel = GrantingChannel({1: ["head"], 4: ["head", "top"], 7: ["head", "top", "stem"]})
    training = TinyTraining(channel, follows_start=True)
    training.run()

    said = {body.update: body.moved for body in channel.sent_of(Boundary)}
    assert list(said) == [1, 4, 7, 11]
    assert said[1] == [0.0, 0.0, 0.0]
    shapes = {update: [distance == 0 for distance in moved] for update, moved in said.items() if moved is not UNSET}
    assert shapes == {1: [True] * 3, 4: [False, True, True], 7: [False, False, True], 11: [False] * 3}
    fresh = TinyTraining(GrantingChannel({1: ["head"]})).model
    head = [name for name, _ in fresh.named_parameters() if name.startswith("head.")]
    parts = [(dict(training.model.named_parameters())[name], dict(fresh.named_parameters())[name]) for name in head]
    distance = sum(float((now - then).detach().double().square().sum()) for now, then in parts) ** 0.5
    size = sum(float(then.detach().double().square().sum()) for _, then in parts) ** 0.5
    assert isinstance(said[11], list)
    assert said[11][0] == pytest.approx(distance / size, rel=1e-5)

    assert all(body.seconds.probe == 1.0 for body in channel.sent_of(Boundary))


def test_nobody_who_does_not_know_the_start_says_anything() -> None:
    channel = GrantingChannel({1: ["head"]})
    TinyTraining(channel).run()
    assert all(body.moved is UNSET for body in channel.sent_of(Boundary))


def test_it_changes_no_bit_and_draws_nothing() -> None:
    ends = []
    for follows_start in (False, True):
        torch.manual_seed(3)
        model = build_network()
        training = TinyTraining(
            GrantingChannel({1: ["head"], 4: ["head", "top"]}, metrics=["fisher_trace"], probe_every=2),
            model=model,
            optimizer=adamw(model),
            probing=True,
            follows_start=follows_start,
        )
        training.run()
        ends.append((weights_sha256(training.model), torch.random.get_rng_state().tolist()))
    assert ends[0] == ends[1]
