"""What a script records under a controller, and alone."""

from __future__ import annotations

import json

import pytest
import torch
from attached_script import EVERYTHING, PROBE, SCHEDULE, Script, controlled
from granting_channel import GrantingChannel
from msgspec import UNSET

from thawline.attached.attach import InertRun, attach_over
from thawline.errors import UserError
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Boundary, Finished, Log
from thawline.wire.values import NonFinite, RecordedValue


def recorded_at(channel: GrantingChannel) -> dict[int, list[RecordedValue]]:
    return {body.update: body.recorded for body in channel.sent_of(Boundary) if body.recorded}


def test_each_number_makes_the_boundary_after_it_and_changes_no_bit() -> None:
    alone = Script()
    alone.loop(None, range(1, 7))
    channel, script = controlled(EVERYTHING), Script()
    with attach_over(channel, "run-1", 1, script.check) as run:
        run.record("before", 1)
        for update in range(1, 7):
            script.loop(run, range(update, update + 1))
            if update % 2 == 0:
                run.record("loss", torch.tensor(float(update)), standard_error=0.5)
    assert recorded_at(channel) == {
        1: [RecordedValue("before", 1.0)],
        **{update + 1: [RecordedValue("loss", float(update), 0.5)] for update in (2, 4, 6)},
    }
    assert not any(body.recalled for body in channel.sent_of(Boundary))
    assert weights_sha256(script.model) == weights_sha256(alone.model)


def test_a_signal_is_measured_at_its_own_boundaries_alone() -> None:
    channel, script = controlled(SCHEDULE, metrics=["fisher_trace"], probe_every=4), Script(probe=PROBE)
    with attach_over(channel, "run-1", 1, script.check) as run:
        for update in range(1, 7):
            script.loop(run, range(update, update + 1))
            run.record("loss", update)
    assert sorted(recorded_at(channel)) == [2, 3, 4, 5, 6, 7]
    assert [body.update for body in channel.sent_of(Boundary) if body.metrics] == [1, 4]


def test_once_an_update_may_be_made_its_boundary_is_over() -> None:
    channel, script = controlled(EVERYTHING), Script(num_updates=2)
    with attach_over(channel, "run-1", 1, script.check) as run:
        run.before_update()
        run.record("loss", 1)
        run.after_update(None)
        script.loop(run, range(2, 3))
    assert sorted(recorded_at(channel)) == [2]


def test_of_two_under_one_name_the_last_counts_and_it_is_said_once() -> None:
    channel, script = controlled(EVERYTHING), Script()

    def train() -> None:
        with attach_over(channel, "run-1", 1, script.check) as run:
            for update in range(1, 7):
                script.loop(run, range(update, update + 1))
                run.record("loss", 1)
                run.record("loss", float("nan"))

    with pytest.warns(UserWarning, match="'loss' was recorded twice"):
        train()
    assert recorded_at(channel)[3] == [RecordedValue("loss", NonFinite("nan"))]
    assert sum("'loss' was recorded twice" in body.text for body in channel.sent_of(Log)) == 1


def test_without_a_known_end_the_last_number_goes_with_the_last_word() -> None:
    channel, script = controlled(EVERYTHING), Script(num_updates=None)
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 4))
        run.record("loss", 2)
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.recorded) == (3, [RecordedValue("loss", 2.0)])


def test_a_checkpoint_keeps_what_waits_for_its_boundary_and_the_series() -> None:
    channel, script = controlled(EVERYTHING), Script()
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.loop(run, range(1, 2))
        run.record("loss", 0.5)
        script.loop(run, range(2, 3))
        run.record("loss", float("inf"))
        state = json.loads(json.dumps(run.state_dict()))
        script.loop(run, range(3, 7))
    assert state["series"]["recorded/loss"] == [
        {
            "value": 0.5,
            "standard_error": None,
            "change_standard_error": None,
            "span_standard_error": None,
            "seconds": 0,
            "update": 2,
        }
    ]
    again, second = controlled(EVERYTHING), Script()
    with attach_over(again, "run-1", 2, second.check) as run:
        run.load_state_dict(state)
        second.loop(run, range(3, 7))
    assert recorded_at(again) == {3: [RecordedValue("loss", NonFinite("inf"))]}


def test_what_is_wrong_is_refused_with_a_sentence() -> None:
    channel, script = controlled(EVERYTHING), Script()
    with attach_over(channel, "run-1", 1, script.check) as run:
        with pytest.raises(UserError, match="which thawline measures itself"):
            run.record("fisher_trace", 1)
        with pytest.raises(UserError, match="`value` must be a number"):
            run.record("loss", "low")
        script.loop(run, range(1, 7))
    with pytest.raises(UserError, match="recorded after the `with` block"):
        run.record("loss", 1)
    assert recorded_at(channel) == {}
    assert channel.sent[-1].recorded is UNSET  # type: ignore[union-attr]


def test_alone_it_does_nothing() -> None:
    run = InertRun()
    run.record("any name at all", object())
    assert run.state_dict() == InertRun().state_dict()
