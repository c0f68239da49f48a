"""Orders on the development set and the best weights: done, timed and reported, in the order of the grant."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import UNSET

from thawline.interruption import Interrupted, ShouldStop
from thawline.lockstep.abilities import Abilities, SplitScore
from thawline.lockstep.orders import Orders
from thawline.lockstep.room_wait import RoomWait
from thawline.lockstep.stopwatch import Stopwatch
from thawline.storage.checkpoint import SavedCheckpoint
from thawline.wire.channel import ScriptedChannel
from thawline.wire.protocol import Evaluated, Grant, Kept, Order, ResumePoint
from thawline.wire.values import NonFinite

BEST = ResumePoint("best/step-00000003", 3, "c" * 64)


class Training:
    """Notes what was asked of it."""

    def __init__(self, folder: Path, *, recalled: bool = False) -> None:
        self.calls: list[object] = []
        self.polled: list[tuple[str, str]] = []
        self.channel = ScriptedChannel([])
        self.stopwatch = Stopwatch()
        self._folder = folder
        self._recalled = recalled
        abilities = Abilities(validate=self.validate, keep_best=self.keep_best, restore_best=self.restore_best)
        self.orders = Orders(self.channel, abilities, folder, self.stopwatch, self.poll, RoomWait(self.channel))

    def poll(self, phase: str, what: str) -> ShouldStop:
        self.polled.append((phase, what))
        return lambda: self._recalled

    def validate(self, should_stop: ShouldStop) -> SplitScore:
        self.calls.append("validate")
        if should_stop():
            raise Interrupted
        return SplitScore("development", {"f1": 0.5, "exact_match": math.nan}, 7, regenerated=False)

    def keep_best(self, step: int) -> SavedCheckpoint:
        self.calls.append(("keep_best", step))
        return SavedCheckpoint(step, self._folder / "best" / f"step-{step:08d}", "a" * 64, "b" * 64)

    def restore_best(self, path: Path, manifest_sha256: str) -> None:
        self.calls.append((path, manifest_sha256))

    def obey(self, *orders: Order, best: ResumePoint | None = None) -> None:
        self.orders.carry_out(Grant(9, ["head"], 1.0, list(orders), [], best=best or UNSET), 5)


def test_a_validation_is_reported_with_its_step(tmp_path: Path) -> None:
    training = Training(tmp_path)
    training.obey("validate")
    assert training.channel.sent == [
        Evaluated(5, "development", {"f1": 0.5, "exact_match": NonFinite("nan")}, 7, False, False, None)
    ]
    assert training.polled == [("evaluate", "development")]
    spent = training.stopwatch.total()
    assert spent.evaluate > 0 == spent.checkpoint


def test_what_images_were_made_with_is_reported_where_it_was_something(tmp_path: Path) -> None:
    def evaluate(should_stop: ShouldStop) -> Iterator[SplitScore]:
        yield SplitScore("ood/fog", {"accuracy": 0.5}, 7, regenerated=True)
        yield SplitScore("ood/frost", {"accuracy": 0.5}, 7, regenerated=True, made_with="pictures")

    channel = ScriptedChannel([])
    orders = Orders(
        channel,
        Abilities(evaluate=evaluate),
        tmp_path,
        Stopwatch(),
        lambda phase, what: lambda doing="": False,
        RoomWait(channel),
    )
    orders.carry_out(Grant(9, ["head"], 1.0, ["evaluate"], []), 5)
    assert [body.made_with for body in channel.sent if isinstance(body, Evaluated)] == [UNSET, "pictures"]


def test_what_was_kept_is_named_within_the_run_folder(tmp_path: Path) -> None:
    training = Training(tmp_path)
    training.obey("keep_best")
    assert training.channel.sent == [Kept(5, "best/step-00000005", "a" * 64, "b" * 64)]
    spent = training.stopwatch.total()
    assert spent.checkpoint > 0 == spent.evaluate


def test_what_is_restored_is_what_the_grant_names(tmp_path: Path) -> None:
    training = Training(tmp_path)
    training.obey("restore_best", best=BEST)
    assert training.calls == [(tmp_path / "best/step-00000003", "c" * 64)]
    assert training.channel.sent == []
    assert training.stopwatch.total().checkpoint > 0


def test_orders_are_carried_out_in_their_order(tmp_path: Path) -> None:
    training = Training(tmp_path)
    training.obey("validate", "keep_best", "restore_best", best=BEST)
    assert training.calls == ["validate", ("keep_best", 5), (tmp_path / "best/step-00000003", "c" * 64)]
    assert [type(body) for body in training.channel.sent] == [Evaluated, Kept]


def test_a_recalled_validation_reports_nothing_and_the_rest_is_left(tmp_path: Path) -> None:
    training = Training(tmp_path, recalled=True)
    with pytest.raises(Interrupted):
        training.obey("validate", "keep_best")
    assert training.calls == ["validate"]
    assert training.channel.sent == []


def test_only_what_a_training_can_do_is_offered() -> None:
    assert Abilities().orders == []
    able = Abilities(validate=lambda _: SplitScore("development", {}, 1, regenerated=False))
    assert able.orders == ["validate"]
