"""A script whose blocks warm up after their release: its optimizer's groups, its rates, its checkpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from attached_script import SCHEDULE, Script
from example_config import attached_config
from granting_channel import GrantingChannel
from tiny_training import BLOCKS, HEAD, build_network
from torch import nn

import thawline
from thawline.attached.attach import attach_over
from thawline.errors import UserError
from thawline.storage.weights import weights_sha256
from thawline.wire.decided import Decided, OperatorChanges
from thawline.wire.protocol import Ready, Resumed
from thawline.wire.warming_up import WarmingUp

# Of the groups of the stem, the top and the head, with three updates of warm-up from updates 3 and 5 on.
SHARES = [(1, 1, 1), (1, 1, 1), (1, 1 / 3, 1), (1, 2 / 3, 1), (1 / 3, 1, 1), (2 / 3, 1, 1), (1, 1, 1), (1, 1, 1)]


def warming(warmup: int | None = 3) -> GrantingChannel:
    config = attached_config(seed=5, groups_by_block=warmup is not None)
    return GrantingChannel(SCHEDULE, release_warmup=warmup, config=config)


def script_by_block(num_updates: int = 8) -> Script:
    script = Script(num_updates=num_updates)
    groups = thawline.groups_by_block(script.model.parameters(), script.model, blocks=BLOCKS, head=HEAD)
    script.optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.1)
    script.scheduler = torch.optim.lr_scheduler.ExponentialLR(script.optimizer, 0.8)
    return script


def run_of(script: Script, channel: GrantingChannel, updates: range) -> list[list[float]]:
    """The rates that each of the updates was made with."""
    used: list[list[float]] = []
    with attach_over(channel, "run-1", 1, script.check) as run:
        script.optimizer.register_step_pre_hook(
            lambda *_: used.append([group["lr"] for group in script.optimizer.param_groups])
        )
        script.loop(run, updates)
    return used


def test_groups_that_mix_blocks_are_refused_by_name_before_the_first_update() -> None:
    script, channel = Script(), warming()
    with pytest.raises(UserError) as caught, attach_over(channel, "run-1", 1, script.check):
        pass
    assert str(caught.value) == (
        "attach: group 0 of `optimizer` holds parameters of head, top, stem, but with `intervention.release_warmup` "
        "the learning rate of each block rises by itself"
    )
    assert "thawline.groups_by_block(model.parameters(), model, blocks=blocks, head=head)" in caught.value.hint
    assert channel.sent_of(Ready) == []


def test_without_a_warm_up_groups_may_mix_blocks() -> None:
    script = Script()
    run_of(script, warming(None), range(1, 7))
    assert weights_sha256(script.model) != weights_sha256(build_network())


def test_the_rate_of_each_block_rises_in_the_steps_after_its_release_and_the_scheduler_does_not_see_it() -> None:
    script = script_by_block()
    used = run_of(script, warming(), range(1, 9))
    schedule, rate = [], 0.05
    for _ in range(9):
        schedule.append(rate)
        rate *= 0.8
    assert used == [[rate * share for share in shares] for rate, shares in zip(schedule, SHARES, strict=False)]
    assert [group["lr"] for group in script.optimizer.param_groups] == schedule[8:] * 3


def test_groups_by_block_and_no_warm_up_give_the_same_weights_bit_for_bit() -> None:
    mixed, by_block = Script(num_updates=8), script_by_block()
    run_of(mixed, warming(None), range(1, 9))
    run_of(by_block, warming(None), range(1, 9))
    assert weights_sha256(by_block.model) == weights_sha256(mixed.model)


def test_a_script_goes_on_in_the_middle_of_a_ramp_bit_for_bit() -> None:
    """Its state says which blocks warm up, whatever grant it was made under."""
    whole = script_by_block()
    run_of(whole, warming(), range(1, 9))

    script, state = script_by_block(), {}
    with attach_over(warming(), "run-1", 1, script.check) as run:
        script.loop(run, range(1, 6))
        state = json.loads(json.dumps(run.state_dict()))
        run.finish()
    assert state["warming_up"] == [{"blocks": ["stem"], "since": 5, "num_updates": 3}]
    channel = warming()
    state["decided"] = {"interval": None, "operator": {"unfreezes": [], "learning_rate_factor": 1.0}}
    with attach_over(channel, "run-1", 2, script.check) as run:
        run.load_state_dict(state)
        script.loop(run, range(6, 9))
    resumed = channel.sent_of(Ready)[0].resumed
    warming_up = [WarmingUp(["stem"], 5, 3)]
    held = ["head", "top", "stem"]
    assert resumed == Resumed("run-1", held, 1.0, Decided(None, OperatorChanges([], 1.0)), warming_up)
    assert weights_sha256(script.model) == weights_sha256(whole.model)


def test_a_state_after_a_ramp_names_none() -> None:
    script = script_by_block()
    with attach_over(warming(), "run-1", 1, script.check) as run:
        script.loop(run, range(1, 5))
        assert run.state_dict()["warming_up"] == [{"blocks": ["top"], "since": 3, "num_updates": 3}]
        script.loop(run, range(5, 9))
        assert run.state_dict()["warming_up"] == []


def test_groups_keep_their_options_and_may_name_one_parameter_by_itself() -> None:
    model = build_network()
    decayed = [parameter for name, parameter in model.named_parameters() if name.endswith("weight")]
    given: list[dict[str, Any]] = [{"params": decayed, "weight_decay": 0.1}, {"params": model.head.bias, "lr": 1.0}]
    groups = thawline.groups_by_block(given, model, blocks=BLOCKS, head=HEAD)
    assert [(len(group["params"]), group.get("weight_decay"), group.get("lr")) for group in groups] == [
        (2, 0.1, None),
        (2, 0.1, None),
        (1, 0.1, None),
        (1, None, 1.0),
    ]
    assert groups[3]["params"][0] is model.head.bias


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "x"}, "`model` must be a torch.nn.Module"),
        ({"blocks": ["a"]}, "`blocks` must be a list of"),
        ({"head": "("}, "`head` must be a regular expression"),
        ({"blocks": [("top", r"^nothing\\.")]}, "matches no parameter"),
    ],
)
def test_a_mistake_is_named(arguments: dict[str, Any], message: str) -> None:
    model = build_network()
    given: dict[str, Any] = {"model": model, "blocks": BLOCKS, "head": HEAD} | arguments
    with pytest.raises(UserError, match=message):
        thawline.groups_by_block(model.parameters(), **given)


def test_what_is_not_in_a_block_is_in_a_group_of_its_own() -> None:
    model = build_network()
    frozen = nn.Parameter(torch.zeros(2), requires_grad=False)
    groups = thawline.groups_by_block([*model.parameters(), frozen], model, blocks=BLOCKS)
    assert groups[-1]["params"] == [frozen]
