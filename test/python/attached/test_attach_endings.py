"""Every way in which the `with` block of a user's own loop can end."""

from __future__ import annotations

import sys

import pytest
import torch
from attached_script import EVERYTHING, Script, controlled
from granting_channel import GrantingChannel
from msgspec import UNSET
from tiny_training import make_update

from thawline.attached.attach import attach_over
from thawline.errors import NonFiniteLossError, UserError
from thawline.lockstep.session import TrainingStopped
from thawline.storage.weights import weights_sha256
from thawline.wire.channel import ScriptedChannel
from thawline.wire.handshake import Rejected
from thawline.wire.protocol import Failed, Finished, Hello, Reject, Stopped


def test_after_the_block_the_optimizer_is_the_users_again() -> None:
    script = Script()
    with attach_over(controlled(EVERYTHING, factors={1: 0.0}), "run-1", 1, script.check) as run:
        script.loop(run, range(1, 7))
    before = weights_sha256(script.model)
    make_update(script.model, script.optimizer, 7)
    assert weights_sha256(script.model) != before


@pytest.mark.parametrize("catching", [False, True])
def test_a_stop_leaves_the_block_and_is_not_an_error(catching: bool) -> None:
    """Also in a loop that catches every exception and goes on."""
    channel = controlled(EVERYTHING, stop=(4, "operator", False))
    script = Script()
    with attach_over(channel, "run-1", 1, script.check) as run:
        for update in range(1, 7):
            try:
                script.loop(run, range(update, update + 1))
            except TrainingStopped:
                if not catching:
                    raise
    assert (run.step, run.stopped) == (3, True)
    stopped = channel.sent[-1]
    assert isinstance(stopped, Stopped)
    assert stopped.step == 3
    assert len(channel.sent_of(Stopped)) == 1


def test_a_stop_before_the_first_update_makes_none() -> None:
    channel = controlled(EVERYTHING, stop=(1, "interrupted", False))
    script = Script()
    before = weights_sha256(script.model)
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 7))
    assert (run.step, run.stopped) == (0, True)
    assert weights_sha256(script.model) == before


def test_an_exception_closes_as_failed_and_is_raised_again() -> None:
    channel = controlled(EVERYTHING)
    script = Script()

    def train_and_fail() -> None:
        with attach_over(channel, "run-1", 1, script.check) as run:
            script.loop(run, range(1, 4))
            raise ZeroDivisionError("my bug")

    with pytest.raises(ZeroDivisionError, match="my bug"):
        train_and_fail()
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.step, failed.fault, failed.message) == (3, "code", "ZeroDivisionError: my bug")
    assert "train_and_fail" in failed.traceback


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    channel = controlled(EVERYTHING, factors={2: 0.5})
    script = Script()
    script.loss_of = lambda update, loss: loss * (float("nan") if update == 3 else 1)
    with (
        pytest.raises(NonFiniteLossError, match="nan at update 3"),
        attach_over(channel, "run-1", 1, script.check) as run,
    ):
        script.loop(run, range(1, 7))
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.step, failed.code) == (3, "non_finite_loss")


def test_a_loop_that_ends_before_its_announced_end_says_so() -> None:
    channel = controlled(EVERYTHING)
    script = Script(num_updates=6)
    with (
        pytest.raises(UserError, match="`num_updates` is 6, but the `with` block ended after 2 updates"),
        attach_over(channel, "run-1", 1, script.check) as run,
    ):
        script.loop(run, range(1, 3))
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.fault, failed.code) == ("user", "ended_early")


def test_a_loop_that_says_that_it_ends_early_is_finished() -> None:
    channel = controlled(EVERYTHING)
    script = Script(num_updates=6)
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 3))
        run.finish()
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.early, run.stopped) == (2, True, False)
    assert finished.weights_sha256 == weights_sha256(script.model)


@pytest.mark.parametrize("num_updates", [6, None])
def test_saying_it_after_the_last_update_changes_nothing(num_updates: int | None) -> None:
    channel = controlled(EVERYTHING)
    script = Script(num_updates=num_updates)
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 7))
        run.finish()
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.early) == (6, UNSET)


def test_no_update_follows_the_end() -> None:
    script = Script(num_updates=6)

    def train() -> None:
        with attach_over(controlled(EVERYTHING), "run-1", 1, script.check) as run:
            script.loop(run, range(1, 3))
            run.finish()
            script.loop(run, range(3, 4))

    with pytest.raises(UserError, match=r"`run.before_update` was called after `run.finish`"):
        train()


def test_a_loop_of_unknown_length_ends_where_it_likes() -> None:
    channel = controlled({1: ["head"], 100: ["head", "top"]})
    script = Script(num_updates=None)
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 4))
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, run.stopped) == (3, False)


def test_a_loop_longer_than_announced_is_ended() -> None:
    script = Script(num_updates=3)
    with attach_over(controlled(EVERYTHING), "run-1", 1, script.check) as run:
        script.loop(run, range(1, 100))
    assert (run.step, run.stopped) == (3, True)


def test_a_rejected_script_hears_why_and_says_nothing_more() -> None:
    channel = ScriptedChannel([Reject("incompatible", "the protocol is 2", "install thawline 2")])
    with pytest.raises(Rejected, match="the protocol is 2"), attach_over(channel, "run-1", 1, Script().check):
        pass
    assert [type(body) for body in channel.sent] == [Hello]


def train_and_exit(script: Script, channel: GrantingChannel, code: int | str | None) -> None:
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 4))
        sys.exit(code)


@pytest.mark.parametrize("code", [None, 0])
def test_sys_exit_without_a_fault_is_an_end_like_any_other(code: int | None) -> None:
    channel = controlled({1: ["head"], 100: ["head", "top"]})
    script = Script(num_updates=None)
    with pytest.raises(SystemExit) as exit_:
        train_and_exit(script, channel, code)
    assert exit_.value.code == code
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.step == 3


@pytest.mark.parametrize("code", [3, "no data"])
def test_sys_exit_with_a_fault_is_named(code: int | str) -> None:
    channel = controlled(EVERYTHING)
    script = Script()
    with pytest.raises(SystemExit):
        train_and_exit(script, channel, code)
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.step, failed.message) == (3, f"the script left its training by `sys.exit({code})`")
    assert failed.traceback == ""


def test_a_training_whose_weights_have_no_digest_finishes_and_says_why() -> None:
    channel = controlled({1: ["head"], 100: ["head", "top"]})
    script = Script(num_updates=None)
    script.model.register_buffer("nowhere", torch.empty(2, device="meta"))
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 4))
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.weights_sha256 is None
    assert finished.weights_unhashed == "`nowhere` has no values: it is on the meta device"
