"""Mistakes in a user's own loop are named, to the script and to the controller."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from attached_script import EVERYTHING, Script, controlled
from example_config import attached_config
from granting_channel import GrantingChannel

from thawline.attached.attach import attach_over
from thawline.errors import UserError
from thawline.wire.protocol import Failed, Hello


def test_a_loop_that_steps_another_optimizer_is_told_so() -> None:
    """Its learning rates would ignore the controller's factor, and its loss would never be looked at."""
    channel = controlled(EVERYTHING)
    script = Script()

    def train() -> None:
        with attach_over(channel, "run-1", 1, script.check) as run:
            script.loop(run, range(1, 3))
            script.optimizer = torch.optim.Adam(script.model.parameters())
            script.loop(run, range(3, 7))

    with pytest.raises(UserError, match=r"^attach: `optimizer` made no step in update 3, but another one \(Adam\)"):
        train()
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.fault, failed.code, failed.step) == ("user", "other_optimizer", 2)


@pytest.mark.parametrize(
    ("loss", "num_samples", "message"),
    [
        (0.5, 0, "`loss` must be a scalar tensor or None, got 0.5"),
        (torch.ones(3), 0, r"`loss` must be a scalar tensor or None, got tensor\(\[1., 1., 1.\]\)"),
        (None, torch.tensor(8), r"`num_samples` must be an integer, 0 or more, got tensor\(8\)"),
        (None, -1, "`num_samples` must be an integer, 0 or more, got -1"),
    ],
)
def test_a_mistake_in_what_is_told_of_an_update_is_named(loss: Any, num_samples: Any, message: str) -> None:
    channel = controlled(EVERYTHING)

    def train() -> None:
        with attach_over(channel, "run-1", 1, Script().check) as run:
            run.before_update()
            run.after_update(loss, num_samples)

    with pytest.raises(UserError, match=f"^run.after_update: {message}"):
        train()
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.fault, failed.code) == ("user", "invalid_argument")


def test_the_loss_may_have_one_element_in_any_shape() -> None:
    script = Script(num_updates=3)
    script.loss_of = lambda update, loss: loss.reshape([1] * update)
    with attach_over(controlled(EVERYTHING), "run-1", 1, script.check) as run:
        script.loop(run, range(1, 4))
    assert run.step == 3


@pytest.mark.parametrize("num_before", [0, 2])
def test_an_update_that_nobody_announced_is_a_mistake(num_before: int) -> None:
    """As where `after_update` is called for every batch of an accumulated gradient."""
    channel = controlled(EVERYTHING)
    script = Script()

    def train() -> None:
        with attach_over(channel, "run-1", 1, script.check) as run:
            script.loop(run, range(1, num_before + 1))
            run.after_update(torch.tensor(1.0))

    with pytest.raises(UserError, match=r"`run.after_update` must follow a `run.before_update` of its own"):
        train()
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.fault, failed.code, failed.step) == ("user", "invalid_call", num_before)


def test_a_mistake_in_the_arguments_reaches_the_controller() -> None:
    channel = controlled(EVERYTHING)
    script = Script(num_updates=0)
    with pytest.raises(UserError, match="num_updates"), attach_over(channel, "run-1", 1, script.check):
        pass
    assert [type(body) for body in channel.sent] == [Hello, Failed]


def test_a_run_that_finds_its_k_needs_a_probe() -> None:
    channel = GrantingChannel(EVERYTHING, config=attached_config(needs_probe=True))
    with (
        pytest.raises(UserError, match="`probe` is None, but this run has to find k"),
        attach_over(channel, "run-1", 1, Script().check),
    ):
        pass
    assert isinstance(channel.sent[-1], Failed)
