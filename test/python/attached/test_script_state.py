"""What a script keeps in a checkpoint of its own: it survives every way of saving, and leads back to the same run."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
import torch
from example_config import attached_config
from granting_channel import GrantingChannel
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from tiny_training import BLOCKS, HEAD, build_network, draw_batch, make_update, sgd

from thawline.attached.arguments import Probe, Training, check_arguments
from thawline.attached.attach import InertRun, attach_over
from thawline.attached.listening_channel import ListeningChannel
from thawline.attached.script_state import ScriptState, parse_state
from thawline.errors import UserError
from thawline.probes import ClassificationObjective
from thawline.wire.channel import ScriptedChannel
from thawline.wire.decided import Decided, DecidedInterval, OperatorChanges
from thawline.wire.protocol import Boundary, ControllerBody, Grant, History, Metric, Ready, Resumed, SpentSeconds

DECIDED = Decided(
    DecidedInterval(3, "online", "fisher_trace", 3, None, "the series is too short"), OperatorChanges([], 1.0)
)


class DecidingChannel(GrantingChannel):
    """Also tells what was decided, as a controller tells a script."""

    def receive(self, timeout: float | None = None) -> ControllerBody:
        body = super().receive(timeout)
        if isinstance(body, Grant):
            return msgspec.structs.replace(body, decided=DECIDED)
        return body


class Script:
    """A training of no known length, whose signals are measured every second update."""

    def __init__(self, **changes: Any) -> None:
        self.model = build_network()
        self.optimizer = sgd(self.model)
        self.changes = changes

    def check(self) -> Training:
        probe = Probe([draw_batch(0), draw_batch(-1)], ClassificationObjective(head_name="head"))
        arguments: dict[str, Any] = {"probe": probe, "num_updates": None, "resumed_from": 0} | self.changes
        return check_arguments(self.model, self.optimizer, blocks=BLOCKS, head=HEAD, **arguments)


def channel() -> DecidingChannel:
    schedule = {1: ["head"], 3: ["head", "top"]}
    return DecidingChannel(schedule, metrics=["fisher_trace"], probe_every=2, config=attached_config())


def train(script: Script, state: dict[str, Any] | None, until: int, run: str) -> tuple[DecidingChannel, dict[str, Any]]:
    """Trains until `until` updates are made, and returns the state after them."""
    controller = channel()
    with attach_over(controller, run, 1, script.check) as attached:
        if state is not None:
            attached.load_state_dict(state)
        while attached.step < until:
            attached.before_update()
            attached.after_update(make_update(script.model, script.optimizer, attached.step + 1))
    assert attached.k == 3
    return controller, attached.state_dict()


def test_it_survives_json_and_a_safe_load_of_torch() -> None:
    _, state = train(Script(), None, 4, "run-1")
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    assert torch.load(file, weights_only=True) == state
    assert json.loads(json.dumps(state)) == state
    assert (state["run"], state["step"], state["trainable"]) == ("run-1", 4, ["head", "top"])
    assert [point["update"] for point in state["series"]["probe/fisher_trace"]] == [1, 2, 4]


def test_a_script_goes_on_as_if_it_had_never_ended() -> None:
    """The errors of the next changes too: they need what was measured before."""
    whole, undisturbed = train(Script(), None, 6, "run-1")
    script = Script()
    _, state = train(script, None, 5, "run-1")
    resumed, ended = train(script, json.loads(json.dumps(state)), 6, "run-1")
    ready = resumed.sent_of(Ready)[0]
    assert ready.resumed_from == 5
    assert isinstance(ready.resumed, Resumed)
    assert (ready.resumed.run, ready.resumed.trainable, ready.resumed.decided) == ("run-1", ["head", "top"], DECIDED)
    assert resumed.sent_of(History) == []

    def errors(controller: DecidingChannel) -> list[Any]:
        metrics = [(body.update, metric) for body in controller.sent_of(Boundary) for metric in body.metrics]
        return [(m.value, m.change_standard_error, m.span_standard_error) for update, m in metrics if update == 6]

    assert errors(resumed) == errors(whole)
    assert errors(whole)[0][1] is not None
    assert ended["probe"] == undisturbed["probe"]
    assert ended["series"].keys() == undisturbed["series"].keys()


def test_another_run_is_told_the_series() -> None:
    script = Script()
    _, state = train(script, None, 4, "run-1")
    moved, _ = train(script, state, 5, "run-2")
    told = {body.key: [point.update for point in body.points] for body in moved.sent_of(History)}
    assert told["probe/fisher_trace"] == [1, 2, 4]
    kinds = [type(body) for body in moved.sent]
    assert max(index for index, kind in enumerate(kinds) if kind is History) < kinds.index(Ready)


def test_a_checkpoint_belongs_to_the_mask_of_its_last_update() -> None:
    """Also where it is made after `before_update`, under the next grant."""
    script = Script()
    with attach_over(channel(), "run-1", 1, script.check) as attached:
        for update in (1, 2):
            attached.before_update()
            attached.after_update(make_update(script.model, script.optimizer, update))
        attached.before_update()
        state = attached.state_dict()
        assert (state["step"], state["trainable"]) == (2, ["head"])


@settings(deadline=None, max_examples=40)
@given(updates=st.sets(st.integers(1, 10**6), max_size=600), keys=st.sets(st.text(min_size=1, max_size=8), max_size=3))
def test_any_series_travels_in_messages_within_the_limits(updates: set[int], keys: set[str]) -> None:
    scripted = ScriptedChannel()
    listening = ListeningChannel(scripted, "run-1")
    for update in updates:
        metrics = [Metric(key=key, value=update / 3, seconds=0.5) for key in keys]
        listening.send(Boundary(update, False, metrics, SpentSeconds(0, 0, 0, 0, 0)))
    state = listening.state(3, "")
    told: dict[str, list[int]] = {key: [] for key in keys if updates}
    for body in state.history():
        scripted.send(body)  # Checks the limits, as the real channel does.
        told[body.key] += [point.update for point in body.points]
    assert told == {key: sorted(updates) for key in keys if updates}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "is not what `run.state_dict\\(\\)` gives"),
        ({"format": 2}, "is not what `run.state_dict\\(\\)` gives"),
        ({"step": "4"}, "is not what `run.state_dict\\(\\)` gives"),
        ({"step": 7, "run": "run-1"}, "`state` is of step 7, but `num_updates` is 6"),
        ({"step": 4, "probe": "not base64!"}, "`state\\['probe'\\]` is damaged"),
        ({"step": 4, "probe": "AAAA"}, "`state\\['probe'\\]` is damaged"),
    ],
)
def test_what_was_never_a_state_is_refused(state: Any, message: str) -> None:
    with (
        pytest.raises(UserError, match=message),
        attach_over(channel(), "run-1", 1, Script(num_updates=6).check) as attached,
    ):
        attached.load_state_dict(state)


def test_a_state_that_contradicts_the_argument_or_comes_too_late_is_refused() -> None:
    script = Script(resumed_from=3)
    with (
        pytest.raises(UserError, match=r"`resumed_from` is 3, but the state for `run\.load_state_dict` is of step 4"),
        attach_over(channel(), "run-1", 1, script.check) as attached,
    ):
        attached.load_state_dict({"step": 4})
    with attach_over(channel(), "run-1", 1, Script().check) as attached:
        attached.before_update()
        with pytest.raises(UserError, match=r"before the first `run\.before_update`"):
            attached.load_state_dict({"step": 4})


def test_without_a_controller_a_state_is_the_number_of_updates() -> None:
    run = InertRun()
    run.load_state_dict(InertRun(4).state_dict())
    assert run.step == 4
    assert run.k is None
    state = parse_state(run.state_dict())
    assert state == ScriptState(step=4)
    assert state.resumed is UNSET
