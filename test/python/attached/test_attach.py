"""A user's own loop under a controller."""

from __future__ import annotations

import pytest
import torch
from attached_script import EVERYTHING, PROBE, SCHEDULE, Script, controlled
from msgspec import UNSET
from tiny_training import draw_batch, make_update
from torch import nn

from thawline.attached.attach import attach_over
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Boundary, Finished, Hello, Log, Ready


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


def test_a_script_says_how_far_blocks_have_moved_from_the_first_update_on() -> None:
    """What it loads in its `with` block, before the first update, is where it begins."""
    channel = controlled(SCHEDULE)
    script = Script()
    with attach_over(channel, "run-1", 1, script.check) as run:
        with torch.no_grad():
            for parameter in script.model.parameters():
                parameter.add_(1)
        script.loop(run, range(1, 7))
    said = {body.update: body.moved for body in channel.sent_of(Boundary)}
    assert said[1] == [0.0, 0.0, 0.0]
    last = said[max(said)]
    assert isinstance(last, list)
    assert all(isinstance(distance, float) and 0 < distance < 1 for distance in last)


def test_a_controller_that_changes_nothing_changes_no_bit() -> None:
    alone = Script()
    alone.loop(None, range(1, 7))
    script = Script(probe=PROBE)
    metrics = ["fisher_trace", "critical_sharpness"]
    with attach_over(controlled(EVERYTHING, metrics=metrics, probe_every=1), "run-1", 1, script.check) as run:
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


def test_a_script_with_a_checkpoint_of_its_own_goes_on_where_that_was() -> None:
    channel = controlled(SCHEDULE)
    script = Script(resumed_from=4)
    with attach_over(channel, "run-1", 1, script.check) as run:
        assert run.step == 4
        script.loop(run, range(5, 7))
    assert channel.sent_of(Ready)[0].resumed_from == 4
    assert all(body.moved is UNSET for body in channel.sent_of(Boundary))
    (said,) = (body.text for body in channel.sent_of(Log) if "moved" in body.text)
    assert said == (
        "how far the blocks have moved is not known after a resume (at step 4): "
        "the script's checkpoint does not hold the weights that the run began with"
    )
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == [(5, 249), (5, 293)]
