"""What interrupts a training or rides in its grants: orders, recalls and stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from granting_channel import GrantingChannel, boundaries, kinds
from tiny_disk import fill_up_to, tiny_disk
from tiny_training import TinyTraining

from thawline.interruption import Interrupted, ShouldStop
from thawline.lockstep import pace
from thawline.lockstep.abilities import Abilities, SplitScore
from thawline.lockstep.session import TrainingStopped
from thawline.steering.freezing import trainable_sha256
from thawline.storage.checkpoint import SavedCheckpoint, save_checkpoint
from thawline.storage.weights import weights_sha256
from thawline.wire.channel import ScriptedChannel
from thawline.wire.protocol import (
    Applied,
    Boundary,
    Checkpointed,
    ControllerBody,
    Evaluated,
    Finished,
    Grant,
    Log,
    Progress,
    Recall,
    Stop,
    Stopped,
    WorkerBody,
)

HEAD = ["head"]
STAY = Grant(1, HEAD, 1.0, [], [])


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
        return save_checkpoint(folder, step, model=training.model, optimizer=training.optimizer, extra={})

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

    assert boundaries(channel.sent) == [(1, False), (3, True)]
    assert training.session.step == 3
    assert not channel.recalled.is_set()


def test_a_recall_ends_a_grant_without_a_limit_as_well() -> None:
    channel = ScriptedChannel([STAY, Grant(None, HEAD, 1.0, [], []), Stop("operator", False)])
    training = TinyTraining(channel, num_updates=None)
    training.session.begin()
    training.update()
    channel.recall()
    with pytest.raises(TrainingStopped):
        training.update()
    assert boundaries(channel.sent) == [(1, False), (2, True)]


def test_a_recall_inside_a_probe_gives_it_up() -> None:
    channel = ScriptedChannel([Grant(1, HEAD, 1.0, [], ["fisher_trace"]), Grant(3, HEAD, 1.0, [], [])])
    training = TinyTraining(channel, probing=True)
    training.session.begin()
    channel.recall()
    training.update()

    boundary = channel.sent[-1]
    assert isinstance(boundary, Boundary)
    assert (boundary.update, boundary.recalled, boundary.metrics) == (1, True, [])


def test_what_an_evaluation_is_doing_is_in_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock of the test's own: a second for each look at it, so that every question finds a message due."""
    ticks = iter(range(1, 1_000_000))
    monkeypatch.setattr(pace.time, "perf_counter", lambda: next(ticks))

    def evaluate(should_stop: ShouldStop) -> Iterator[SplitScore]:
        should_stop("3 of 15 test sets made")
        should_stop()
        yield SplitScore("in_dist", {"accuracy": 0.5}, 10, regenerated=False)

    channel = GrantingChannel({1: HEAD}, orders={1: ["evaluate"]}, run_folder=str(tmp_path))
    TinyTraining(channel, abilities=Abilities(evaluate=evaluate), run_folder=tmp_path, num_updates=1).run()
    evaluating = [body for body in channel.sent_of(Progress) if body.phase == "evaluate"]
    assert [body.detail for body in evaluating] == ["3 of 15 test sets made", ""]


def test_a_recall_inside_an_evaluation_gives_the_grant_up_unapplied(tmp_path: Path) -> None:
    given_up = Grant(3, ["head", "top"], 1.0, ["evaluate"], [])
    channel = ScriptedChannel([STAY, given_up, Grant(3, HEAD, 1.0, [], [])])
    training, obedient = with_abilities(channel, tmp_path)
    obedient.before_second_split = channel.recall
    training.session.begin()
    training.update()

    assert kinds(channel.sent) == ["Ready", "Applied", "Boundary", "Evaluated", "Boundary"]
    assert boundaries(channel.sent) == [(1, False), (1, True)]
    assert not any(parameter.requires_grad for parameter in training.model.conv2.parameters())


FIRST_RELEASE = Grant(5, ["head", "stem"], 1.0, [], [])


def weights_after_a_release(script: list[ControllerBody], recalls: Callable[[ScriptedChannel], None]) -> str:
    """Trained with the head alone up to update 3, then under `script`; `recalls` is called before update 3."""
    channel = ScriptedChannel([STAY, Grant(3, HEAD, 1.0, [], []), *script])
    training = TinyTraining(channel, calibrates=True)
    training.session.begin()
    training.update()
    training.update()
    recalls(channel)
    training.update()
    return weights_sha256(training.model)


def test_a_recall_that_comes_with_a_release_leaves_it_for_the_next_grant() -> None:
    """Made and taken back it would calibrate frozen layers again, those of the released block on other batches."""
    seen: list[ScriptedChannel] = []

    def recall(channel: ScriptedChannel) -> None:
        channel.recalled.set()
        seen.append(channel)

    stay = Grant(3, HEAD, 1.0, [], [])
    asked = weights_after_a_release([FIRST_RELEASE, Recall(), stay, FIRST_RELEASE], recall)
    assert boundaries(seen[0].sent) == [(1, False), (3, False), (3, True), (3, False)]
    assert asked == weights_after_a_release([FIRST_RELEASE], lambda channel: None)


def test_a_recall_after_a_release_is_heard_when_it_was_trained_with() -> None:
    channel = ScriptedChannel([STAY, Grant(3, HEAD, 1.0, [], []), FIRST_RELEASE, Grant(5, HEAD, 1.0, [], [])])
    training = TinyTraining(channel)
    training.session.begin()
    training.update()
    training.update()
    send = channel.send

    def recall_after(body: WorkerBody, *, droppable: bool = False) -> None:
        send(body, droppable=droppable)
        if isinstance(body, Applied) and body.update == 3:
            channel.recall()

    channel.send = recall_after  # type: ignore[method-assign]
    training.update()
    training.update()
    assert boundaries(channel.sent) == [(1, False), (3, False), (4, True)]
    assert training.session.step == 4


def test_a_recall_that_crosses_a_natural_boundary_is_served_by_it() -> None:
    script = [STAY, Grant(2, HEAD, 1.0, [], []), Recall(), Grant(4, HEAD, 1.0, [], [])]
    channel = ScriptedChannel(script)
    training = TinyTraining(channel)
    training.session.begin()
    for _ in range(3):
        training.update()
    assert boundaries(channel.sent) == [(1, False), (2, False)]


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


def test_a_run_that_stops_on_a_full_disk_does_not_wait_for_its_checkpoint(tmp_path: Path) -> None:
    channel = GrantingChannel({1: HEAD}, stop=(3, "operator", True), run_folder=str(tmp_path / "disk"))
    with tiny_disk(tmp_path / "disk", 64) as disk:
        training, _ = with_abilities(channel, disk)
        fill_up_to(disk, 0)
        training.run()

    said, closed = channel.sent[-2:]
    assert isinstance(said, Log)
    assert said.text.startswith("the checkpoint of step 2 cannot be written: no room left on the disk")
    assert said.text.endswith("; the run stops without it")
    assert isinstance(closed, Stopped)
