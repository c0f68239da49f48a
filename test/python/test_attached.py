"""A user's own loop under a controller, ended in every way a `with` block can end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from example_config import attached_config
from granting_channel import GrantingChannel
from thawline.arguments import Probe, Training, check_arguments
from thawline.attached import AttachedRun, attach_over
from thawline.channel import ScriptedChannel
from thawline.errors import NonFiniteLossError, UserError
from thawline.handshake import Rejected
from thawline.probes import ClassificationObjective
from thawline.protocol import Applied, Boundary, Failed, Finished, Hello, Ready, Reject, Stopped
from thawline.session import TrainingStopped
from thawline.weights import weights_sha256
from tiny_training import BLOCKS, HEAD, build_network, draw_batch, make_update, sgd

PROBE = Probe([draw_batch(0), draw_batch(-1)], ClassificationObjective(head_name="head"))
SCHEDULE = {1: ["head"], 3: ["head", "top"], 5: ["head", "top", "stem"]}
EVERYTHING = {1: ["head", "top", "stem"]}


class Script:
    """A user's script: its model, optimizer and scheduler, and the loop that it puts into the `with` block."""

    def __init__(self, *, num_updates: int | None = 6, probe: Probe | None = None, resumed_from: int = 0) -> None:
        self.model = build_network()
        self.optimizer = sgd(self.model)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.8)
        self.announced = {"num_updates": num_updates, "probe": probe, "resumed_from": resumed_from}
        self.loss_of: Callable[[int, torch.Tensor], torch.Tensor] = lambda update, loss: loss

    def check(self) -> Training:
        return check_arguments(self.model, self.optimizer, blocks=BLOCKS, head=HEAD, **self.announced)

    def loop(self, run: AttachedRun | None, updates: range) -> None:
        for update in updates:
            if run is not None:
                run.before_update()
            loss = make_update(self.model, self.optimizer, update)
            self.scheduler.step()
            if run is not None:
                run.after_update(self.loss_of(update, loss))


def controlled(schedule: dict[int, list[str]], **channel_arguments: Any) -> GrantingChannel:
    return GrantingChannel(schedule, config=attached_config(seed=5, intervention={"k": 3}), **channel_arguments)


def test_a_run_from_hello_to_finished() -> None:
    channel = controlled(SCHEDULE, metrics=["fisher_trace", "sharpness_avg"], probe_every=2)
    script = Script(probe=PROBE)
    with attach_over(channel, "run-1", 4, script.check) as run:
        script.loop(run, range(1, 7))
    assert (run.step, run.stopped) == (6, False)

    hello, ready, *_, finished = channel.sent
    assert isinstance(hello, Hello)
    assert isinstance(ready, Ready)
    assert isinstance(finished, Finished)
    assert (hello.attempt, ready.seed, ready.can, ready.num_updates) == (4, 5, [], 6)
    assert (ready.device, ready.threads) == ("cpu", torch.get_num_threads())
    assert finished.weights_sha256 == weights_sha256(script.model)
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == [(1, 21), (3, 249), (5, 293)]
    measured = {body.update: {metric.key for metric in body.metrics} for body in channel.sent_of(Boundary)}
    assert {update for update, keys in measured.items() if keys} == {1, 2, 4, 6}
    assert {"probe/fisher_trace", "probe/sharpness_avg"} <= measured[1]


def test_a_controller_that_changes_nothing_changes_no_bit() -> None:
    alone = Script()
    alone.loop(None, range(1, 7))
    script = Script(probe=PROBE)
    with attach_over(controlled(EVERYTHING, metrics=["fisher_trace"], probe_every=1), "run-1", 1, script.check) as run:
        script.loop(run, range(1, 7))
    assert weights_sha256(script.model) == weights_sha256(alone.model)


def test_a_factor_multiplies_the_users_schedule_and_leaves_it_alone() -> None:
    used: list[float] = []
    channel = controlled(EVERYTHING, factors={1: 0.1, 4: 1.0})
    script = Script()
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.optimizer.register_step_pre_hook(lambda *_: used.append(script.optimizer.param_groups[0]["lr"]))
        script.loop(run, range(1, 7))

    alone = Script()
    schedule = []
    for _ in range(6):
        schedule.append(alone.optimizer.param_groups[0]["lr"])
        alone.optimizer.step()
        alone.scheduler.step()
    assert used == [rate * 0.1 for rate in schedule[:3]] + schedule[3:]
    assert script.optimizer.param_groups[0]["lr"] == alone.optimizer.param_groups[0]["lr"]
    assert [body.learning_rates for body in channel.sent_of(Applied)] == [[schedule[0] * 0.1], [schedule[3]]]


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


def test_an_update_whose_step_was_skipped_counts_and_its_loss_may_be_anything() -> None:
    """As with a GradScaler, where gradients overflow."""
    script = Script(num_updates=4)
    with attach_over(controlled(EVERYTHING), "run-1", 1, script.check) as run:
        for update in range(1, 5):
            run.before_update()
            if update == 2:
                run.after_update(torch.tensor(float("inf")))
            else:
                run.after_update(make_update(script.model, script.optimizer, update))
    assert (run.step, run.stopped) == (4, False)


@pytest.mark.parametrize("fused", [False, True])
def test_with_a_scaler_the_update_of_a_skipped_step_counts(fused: bool) -> None:
    """A fused optimizer has its `step` called all the same, and does nothing."""
    channel = controlled({1: ["head"], 3: ["head", "top", "stem"]}, factors={1: 0.1, 3: 1.0})
    script = Script(num_updates=4)
    script.optimizer = torch.optim.SGD(script.model.parameters(), lr=0.05, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    moved: list[bool] = []
    with attach_over(channel, "run-1", 1, script.check) as run:
        for update in range(1, 5):
            run.before_update()
            before = script.model.head.bias.detach().clone()
            images, labels = draw_batch(update)
            with torch.autocast("cpu", torch.bfloat16):
                loss = nn.functional.cross_entropy(script.model(images), labels)
            loss = loss * (torch.inf if update == 2 else 1)
            script.optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(script.optimizer)
            scaler.update()
            run.after_update(loss)
            moved.append(not torch.equal(script.model.head.bias, before))
    assert moved == [True, False, True, True]
    assert (run.step, scaler.get_scale()) == (4, 2.0)
    assert script.optimizer.param_groups[0]["lr"] == 0.05
    assert [body.update for body in channel.sent_of(Applied)] == [1, 3]
    assert isinstance(channel.sent[-1], Finished)


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


def test_fused_sgd_with_momentum_takes_in_what_is_unfrozen() -> None:
    """By itself it refuses a step in which some parameters have momentum and others have none yet."""
    scripts = [Script(), Script()]
    for script, fused in zip(scripts, (True, False), strict=True):
        script.optimizer = torch.optim.SGD(script.model.parameters(), lr=0.05, momentum=0.9, fused=fused)
        script.scheduler = torch.optim.lr_scheduler.ExponentialLR(script.optimizer, 0.8)
        with attach_over(controlled(SCHEDULE), "run-1", 1, script.check) as run:
            script.loop(run, range(1, 7))
        assert not script.optimizer._optimizer_step_pre_hooks
    parameters = [dict(script.model.named_parameters()) for script in scripts]
    for name in parameters[0]:
        torch.testing.assert_close(parameters[0][name], parameters[1][name])


def test_an_update_may_be_made_of_several_batches() -> None:
    channel = controlled(SCHEDULE)
    script = Script(num_updates=6)
    with attach_over(channel, "run-1", 1, script.check) as run:
        for update in range(1, 7):
            run.before_update()
            script.optimizer.zero_grad()
            for part in range(3):
                images, labels = draw_batch(10 * update + part)
                loss = nn.functional.cross_entropy(script.model(images), labels) / 3
                loss.backward()
            script.optimizer.step()
            run.after_update(loss)
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == [(1, 21), (3, 249), (5, 293)]
    assert isinstance(channel.sent[-1], Finished)


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


def test_a_script_with_a_checkpoint_of_its_own_goes_on_where_that_was() -> None:
    channel = controlled(SCHEDULE)
    script = Script(resumed_from=4)
    with attach_over(channel, "run-1", 1, script.check) as run:
        assert run.step == 4
        script.loop(run, range(5, 7))
    assert channel.sent_of(Ready)[0].resumed_from == 4
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == [(5, 249), (5, 293)]


def test_a_mistake_in_the_arguments_reaches_the_controller() -> None:
    channel = controlled(EVERYTHING)
    script = Script(num_updates=0)
    with pytest.raises(UserError, match="num_updates"), attach_over(channel, "run-1", 1, script.check):
        pass
    assert [type(body) for body in channel.sent] == [Hello, Failed]


def test_a_run_that_finds_its_k_needs_a_probe() -> None:
    channel = GrantingChannel(EVERYTHING, config=attached_config())
    with (
        pytest.raises(UserError, match="`probe` is None, but this run has to find k"),
        attach_over(channel, "run-1", 1, Script().check),
    ):
        pass
    assert isinstance(channel.sent[-1], Failed)


def test_a_rejected_script_hears_why_and_says_nothing_more() -> None:
    channel = ScriptedChannel([Reject("incompatible", "the protocol is 2", "install thawline 2")])
    with pytest.raises(Rejected, match="the protocol is 2"), attach_over(channel, "run-1", 1, Script().check):
        pass
    assert [type(body) for body in channel.sent] == [Hello]
