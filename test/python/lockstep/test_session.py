"""Lockstep, message by message: what a worker sends, when it moves, and what it answers to a recall or a stop."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable

import pytest
import torch
from granting_channel import GrantingChannel, boundaries, kinds
from tiny_training import TinyTraining, adamw, build_network, sgd

from thawline.errors import NonFiniteLossError
from thawline.lockstep import pace
from thawline.steering.freezing import trainable_sha256
from thawline.storage.weights import weights_sha256
from thawline.wire.channel import ScriptedChannel
from thawline.wire.failure import describe_failure
from thawline.wire.protocol import (
    Applied,
    Boundary,
    Grant,
    Progress,
    Ready,
)

HEAD = ["head"]
STAY = Grant(1, HEAD, 1.0, [], [])


def test_ready_then_a_grant_of_length_zero_then_the_first_boundary() -> None:
    channel = ScriptedChannel([STAY, Grant(3, HEAD, 1.0, [], [])])
    training = TinyTraining(channel)
    training.session.begin()

    ready = channel.sent[0]
    assert isinstance(ready, Ready)
    assert [(block.name, block.num_params) for block in ready.blocks] == [("top", 228), ("stem", 44)]
    assert (ready.head.name, ready.head.num_params) == ("head", 21)
    assert (ready.num_updates, ready.resumed_from, ready.can, ready.learning_rates) == (10, 0, [], [0.05])
    applied = channel.sent[1]
    assert isinstance(applied, Applied)
    assert (applied.update, applied.num_trainable, applied.learning_rates) == (1, 21, [0.05])
    assert applied.trainable_sha256 == trainable_sha256(training.model)

    training.update()
    assert kinds(channel.sent) == ["Ready", "Applied", "Boundary"]
    training.update()
    assert boundaries(channel.sent) == [(1, False)]
    assert training.session.step == 2


def test_one_message_up_and_one_down_per_boundary_where_nothing_changes() -> None:
    channel = GrantingChannel({1: HEAD}, metrics=["fisher_trace"], probe_every=2)
    TinyTraining(channel, probing=True).run()

    # Progress comes once a second, and how long this takes is the machine's.
    steady = [kind for kind in kinds(channel.sent) if kind != "Progress"]
    assert steady == ["Ready", "Applied", *["Boundary"] * 7, "Finished"]
    assert [body.update for body in channel.sent_of(Boundary)] == [1, 2, 4, 6, 8, 10, 11]
    assert len(channel.received) == 1 + 7


def test_metrics_come_only_where_they_were_asked_for() -> None:
    metrics = ["fisher_trace", "sharpness_avg", "sharpness_worst"]
    channel = GrantingChannel({1: HEAD, 5: ["head", "top"]}, metrics=metrics, probe_every=4)
    TinyTraining(channel, probing=True).run()

    measured = {body.update: {metric.key for metric in body.metrics} for body in channel.sent_of(Boundary)}
    assert {update for update, keys in measured.items() if keys} == {1, 4, 8}
    assert {f"probe/{name}" for name in metrics} <= measured[1]
    assert measured[5] == measured[11] == set()


def test_what_was_kept_of_the_frozen_layers_is_freed_when_the_mask_changes() -> None:
    """After k the boundaries that could use it are over: 2 batches of 6 points with 6 features each."""

    def num_kept() -> int:
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) and thing.shape == (6, 6) for thing in gc.get_objects())

    before = num_kept()
    channel = GrantingChannel({1: HEAD, 5: ["head", "top"]}, metrics=["fisher_trace"], probe_every=2)
    training = TinyTraining(channel, probing=True)
    training.session.begin()
    for _ in range(4):
        training.update()
    assert num_kept() == before + 2
    training.update()
    assert num_kept() == before


def test_a_worker_that_cannot_measure_says_nothing_instead() -> None:
    channel = GrantingChannel({1: HEAD}, metrics=["fisher_trace"], probe_every=2)
    TinyTraining(channel, probing=False).run()
    assert all(body.metrics == [] for body in channel.sent_of(Boundary))


def test_a_training_of_unknown_length_finishes_by_its_own_word() -> None:
    channel = GrantingChannel({1: HEAD})
    training = TinyTraining(channel, num_updates=None)
    training.session.begin()
    for _ in range(3):
        training.update()
    training.session.finish()
    assert kinds(channel.sent) == ["Ready", "Applied", "Boundary", "Finished"]


def test_a_resumed_training_stands_where_it_left_off() -> None:
    channel = GrantingChannel({1: HEAD, 6: ["head", "top"]})
    training = TinyTraining(channel, step=7)
    training.run()

    ready = channel.sent[0]
    assert isinstance(ready, Ready)
    assert (ready.resumed_from, ready.learning_rates) == (7, [0.05 / 8])
    assert [body.update for body in channel.sent_of(Boundary)] == [8, 11]
    assert channel.sent_of(Applied)[0].num_trainable == 21 + 228


def test_learning_rates_are_exactly_the_schedule_times_the_factor() -> None:
    channel = GrantingChannel({1: HEAD}, factors={3: 0.1, 5: 1.0, 7: 0.3})
    training = TinyTraining(channel)
    training.session.begin()
    factors = [1.0, 1.0, 0.1, 0.1, 1.0, 1.0, 0.3, 0.3, 0.3, 0.3]
    for update, factor in enumerate(factors, 1):
        training.update()
        assert [group["lr"] for group in training.optimizer.param_groups] == [0.05 * (1 / update) * factor]
    assert [body.update for body in channel.sent_of(Applied)] == [1, 3, 5, 7]
    assert channel.sent_of(Applied)[1].learning_rates == [0.05 * (1 / 3) * 0.1]


def test_progress_is_rare_and_needs_no_long_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of the test's own: 0.1 s for each look at it."""
    ticks = iter(range(1, 1_000_000))
    monkeypatch.setattr(pace.time, "perf_counter", lambda: next(ticks) / 10)
    channel = GrantingChannel({1: HEAD}, metrics=["fisher_trace"], probe_every=2)
    TinyTraining(channel, num_updates=100, probing=True).run()
    elapsed = next(ticks) / 10

    progress = channel.sent_of(Progress)
    assert 10 <= len(progress) <= 2 * elapsed
    assert {body.phase for body in progress} <= {"train", "probe"}
    training = [body for body in progress if body.phase == "train"]
    assert training
    assert all(body.loss is not None and body.samples_per_second > 0 for body in training)


def test_a_loss_that_is_not_finite_names_update_and_rate() -> None:
    channel = GrantingChannel({1: HEAD}, factors={2: 0.5})
    training = TinyTraining(channel)
    training.session.begin()
    training.update()
    training.session.before_update()
    with pytest.raises(NonFiniteLossError) as caught:
        training.session.after_update(torch.tensor(math.inf))

    rate = 0.05 / 2 * 0.5
    assert (caught.value.update, caught.value.learning_rate) == (2, rate)
    failed = describe_failure(caught.value)
    assert (failed.step, failed.fault, failed.code) == (2, "code", "non_finite_loss")
    assert failed.message == f"the loss became inf at update 2 (learning rate {rate:g})"


@pytest.mark.parametrize("make_optimizer", [sgd, adamw])
def test_measuring_every_signal_at_every_boundary_changes_no_weight(make_optimizer: Callable) -> None:
    def train(probing: bool) -> str:
        metrics = ["fisher_trace", "sharpness_avg", "sharpness_worst"] if probing else []
        schedule = {1: HEAD, 4: ["head", "top"], 8: ["head", "top", "stem"]}
        channel = GrantingChannel(schedule, metrics=metrics, probe_every=2 if probing else None)
        model = build_network()
        torch.manual_seed(3)
        training = TinyTraining(channel, model=model, optimizer=make_optimizer(model), probing=probing)
        training.run()
        assert sum(len(body.metrics) for body in channel.sent_of(Boundary)) >= (18 if probing else 0)
        return weights_sha256(training.model)

    assert train(probing=True) == train(probing=False)


def test_grants_of_one_update_give_the_same_weights_as_one_long_grant() -> None:
    def train(probe_every: int | None) -> str:
        training = TinyTraining(GrantingChannel({1: HEAD, 4: ["head", "top"]}, probe_every=probe_every))
        training.run()
        return weights_sha256(training.model)

    assert train(1) == train(None)
