"""Lockstep, message by message: what a worker sends, when it moves, and what it answers to a recall or a stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from granting_channel import GrantingChannel
from tiny_training import TinyTraining, adamw, build_network, sgd

from thawline import loss_reader
from thawline.channel import ScriptedChannel
from thawline.checkpoint import SavedCheckpoint, save_checkpoint
from thawline.errors import NonFiniteLossError
from thawline.failure import describe_failure
from thawline.freezing import trainable_sha256
from thawline.protocol import (
    Applied,
    Boundary,
    Checkpointed,
    Evaluated,
    Finished,
    Grant,
    Progress,
    Ready,
    Recall,
    Stop,
    Stopped,
    WorkerBody,
)
from thawline.session import TrainingStopped
from thawline.training import Abilities, Interrupted, SplitScore
from thawline.weights import weights_sha256

HEAD = ["head"]
STAY = Grant(1, HEAD, 1.0, [], [])


def kinds(sent: list[WorkerBody]) -> list[str]:
    return [type(body).__name__ for body in sent]


def boundaries(channel: ScriptedChannel) -> list[tuple[int, bool]]:
    return [(body.update, body.recalled) for body in channel.sent if isinstance(body, Boundary)]


class Obedient:
    """Abilities that note when they were used, and the weights they saw; an evaluation polls before each split."""

    def __init__(self, training: Callable[[], TinyTraining], folder: Path) -> None:
        self._training = training
        self._folder = folder
        self.calls: list[tuple[str, int, str]] = []
        self.before_second_split: Callable[[], None] = lambda: None

    @property
    def abilities(self) -> Abilities:
        return Abilities(save=self.save, evaluate=self.evaluate)

    def _note(self, what: str) -> None:
        training = self._training()
        self.calls.append((what, training.session.step, trainable_sha256(training.model)))

    def save(self, step: int) -> SavedCheckpoint:
        self._note("save")
        training = self._training()
        folder = self._folder / "checkpoints"
        return save_checkpoint(
            folder, step, model=training.model, optimizer=training.optimizer, extra={}, state={}
        )

    def evaluate(self, should_stop: Callable[[], bool]) -> Iterator[SplitScore]:
        self._note("evaluate")
        for split in ("in_dist", "ood/noise"):
            if split != "in_dist":
                self.before_second_split()
            if should_stop():
                raise Interrupted
            yield SplitScore(split, {"accuracy": 0.5, "odd": math.nan}, 10, regenerated=split != "in_dist")


def with_abilities(channel: ScriptedChannel | GrantingChannel, folder: Path) -> tuple[TinyTraining, Obedient]:
    made: list[TinyTraining] = []
    obedient = Obedient(lambda: made[0], folder)
    made.append(TinyTraining(channel, abilities=obedient.abilities, run_folder=folder, num_updates=4))
    return made[0], obedient


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
    assert boundaries(channel) == [(1, False)]
    assert training.session.step == 2


def test_one_message_up_and_one_down_per_boundary_where_nothing_changes() -> None:
    channel = GrantingChannel({1: HEAD}, metrics=["fisher_trace"], probe_every=2)
    TinyTraining(channel, probing=True).run()

    assert kinds(channel.sent) == ["Ready", "Applied", *["Boundary"] * 7, "Finished"]
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


def test_a_worker_that_cannot_measure_says_nothing_instead() -> None:
    channel = GrantingChannel({1: HEAD}, metrics=["fisher_trace"], probe_every=2)
    TinyTraining(channel, probing=False).run()
    assert all(body.metrics == [] for body in channel.sent_of(Boundary))


def test_orders_are_carried_out_before_the_change_and_then_it_is_applied(tmp_path: Path) -> None:
    channel = GrantingChannel(
        {1: HEAD, 3: ["head", "top"]}, orders={3: ["checkpoint", "evaluate"]}, run_folder=str(tmp_path)
    )
    training, obedient = with_abilities(channel, tmp_path)
    training.run()

    only_head = channel.sent_of(Applied)[0].trainable_sha256
    assert obedient.calls == [("save", 2, only_head), ("evaluate", 2, only_head)]
    at_three = channel.sent.index(next(body for body in channel.sent_of(Boundary) if body.update == 3))
    assert kinds(channel.sent[at_three:])[:5] == ["Boundary", "Checkpointed", "Evaluated", "Evaluated", "Applied"]
    applied = channel.sent[at_three + 4]
    assert isinstance(applied, Applied)
    assert (applied.update, applied.num_trainable) == (3, 21 + 228)
    saved = channel.sent_of(Checkpointed)[0]
    assert (saved.step, saved.path) == (2, "checkpoints/step-00000002")
    assert (tmp_path / saved.path / "manifest.json").is_file()
    assert [(body.split, body.regenerated) for body in channel.sent_of(Evaluated)] == [
        ("in_dist", False),
        ("ood/noise", True),
    ]


def test_orders_without_a_change_are_applied_too(tmp_path: Path) -> None:
    channel = GrantingChannel({1: HEAD}, orders={2: ["checkpoint"]}, run_folder=str(tmp_path))
    training, _ = with_abilities(channel, tmp_path)
    training.run()
    assert [body.update for body in channel.sent_of(Applied)] == [1, 2]


def test_the_end_has_its_orders_and_then_it_finishes(tmp_path: Path) -> None:
    channel = GrantingChannel({1: HEAD}, end_orders=["checkpoint", "evaluate"], run_folder=str(tmp_path))
    training, obedient = with_abilities(channel, tmp_path)
    training.run()

    assert [(what, step) for what, step, _ in obedient.calls] == [("save", 4), ("evaluate", 4)]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.weights_sha256) == (4, weights_sha256(training.model))


def test_a_recall_before_an_update_ends_the_grant_there() -> None:
    channel = ScriptedChannel([STAY, Grant(9, HEAD, 1.0, [], []), Grant(9, HEAD, 1.0, [], [])])
    training = TinyTraining(channel)
    training.session.begin()
    training.update()
    training.update()
    channel.recall()
    training.update()

    assert boundaries(channel) == [(1, False), (3, True)]
    assert training.session.step == 3
    assert not channel.recalled.is_set()


def test_a_recall_ends_a_grant_without_a_limit_as_well() -> None:
    channel = ScriptedChannel([STAY, Grant(None, HEAD, 1.0, [], ["fisher_trace"]), Stop("operator", False)])
    training = TinyTraining(channel, num_updates=None, probing=True)
    training.session.begin()
    training.update()
    channel.recall()
    with pytest.raises(TrainingStopped):
        training.update()
    assert boundaries(channel) == [(1, False), (2, True)]


def test_a_recall_inside_a_probe_gives_it_up() -> None:
    channel = ScriptedChannel([Grant(1, HEAD, 1.0, [], ["fisher_trace"]), Grant(3, HEAD, 1.0, [], [])])
    training = TinyTraining(channel, probing=True)
    training.session.begin()
    channel.recall()
    training.update()

    boundary = channel.sent[-1]
    assert isinstance(boundary, Boundary)
    assert (boundary.update, boundary.recalled, boundary.metrics) == (1, True, [])


def test_a_recall_inside_an_evaluation_gives_the_grant_up_unapplied(tmp_path: Path) -> None:
    given_up = Grant(3, ["head", "top"], 1.0, ["evaluate"], [])
    channel = ScriptedChannel([STAY, given_up, Grant(3, HEAD, 1.0, [], [])])
    training, obedient = with_abilities(channel, tmp_path)
    obedient.before_second_split = channel.recall
    training.session.begin()
    training.update()

    assert kinds(channel.sent) == ["Ready", "Applied", "Boundary", "Evaluated", "Boundary"]
    assert boundaries(channel) == [(1, False), (1, True)]
    assert not any(parameter.requires_grad for parameter in training.model.conv2.parameters())


def test_a_recall_that_crosses_a_natural_boundary_is_served_by_it() -> None:
    script = [STAY, Grant(2, HEAD, 1.0, [], []), Recall(), Grant(4, HEAD, 1.0, [], [])]
    channel = ScriptedChannel(script)
    training = TinyTraining(channel)
    training.session.begin()
    for _ in range(3):
        training.update()
    assert boundaries(channel) == [(1, False), (2, False)]


@pytest.mark.parametrize("checkpoint", [False, True])
def test_stop_ends_the_run_with_a_checkpoint_if_asked_for(tmp_path: Path, checkpoint: bool) -> None:
    channel = GrantingChannel({1: HEAD}, stop=(3, "interrupted", checkpoint), run_folder=str(tmp_path))
    training, obedient = with_abilities(channel, tmp_path)
    training.run()

    assert [(what, step) for what, step, _ in obedient.calls] == ([("save", 2)] if checkpoint else [])
    assert kinds(channel.sent[-2:]) == (["Checkpointed", "Stopped"] if checkpoint else ["Boundary", "Stopped"])
    closed = channel.sent[-1]
    assert isinstance(closed, Stopped)
    assert closed.step == 2


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
    monkeypatch.setattr(loss_reader.time, "perf_counter", lambda: next(ticks) / 10)
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
