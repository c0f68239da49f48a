"""A Hugging Face Trainer under a controller, resumed from its checkpoints."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from granting_channel import GrantingChannel
from huggingface_training import (
    SCHEDULE,
    build_model,
    callback,
    controlled,
    trainer,
)
from served_channel import served
from tiny_training import BLOCKS, HEAD
from torch import nn
from transformers import Trainer

import thawline
from thawline.errors import UserError
from thawline.lockstep.session import TrainingStopped
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Finished, Ready

SAVING = {"save_strategy": "steps", "save_steps": 2}


@pytest.mark.parametrize("step", [2, 4])
@pytest.mark.parametrize("restores_callbacks", [False, True])
def test_resume_goes_on_with_mask_rates_and_series(tmp_path: Path, restores_callbacks: bool, step: int) -> None:
    """At step 2 the factor holds, and is not in the rates that Trainer saved."""
    arguments = {"metrics": ["fisher_trace"], "probe_every": 2, "factors": {1: 0.1, 4: 1.0}}
    with served(controlled(SCHEDULE, **arguments), tmp_path):
        undisturbed = trainer(tmp_path, callback(), **SAVING)
        undisturbed.train()

    checkpoint = tmp_path / "checkpoints" / f"checkpoint-{step}"
    stored = json.loads((checkpoint / "trainer_state.json").read_text())
    run_state = stored["stateful_callbacks"]["ControllerCallback"]["run"]
    kept = {2: (["head"], 0.1, {1, 2}), 4: (["head", "top"], 1.0, {1, 2, 4})}[step]
    points = {point["update"] for point in run_state["series"]["probe/fisher_trace"]}
    assert (run_state["step"], run_state["trainable"], run_state["learning_rate_factor"], points) == (step, *kept)

    channel = controlled(SCHEDULE, **arguments)
    with served(channel, tmp_path):
        resumed = trainer(
            tmp_path, callback(), restore_callback_states_from_checkpoint=restores_callbacks, save_strategy="no"
        )
        resumed.train(resume_from_checkpoint=str(checkpoint))
    assert channel.sent_of(Ready)[0].resumed_from == step
    applied = {2: [(3, 21), (3, 249), (4, 249), (5, 293)], 4: [(5, 249), (5, 293)]}[step]
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == applied
    assert weights_sha256(resumed.model) == weights_sha256(undisturbed.model)
    assert resumed.lr_scheduler.base_lrs == [0.05, 0.05]


def by_block(model: nn.Module) -> dict[str, Any]:
    groups = thawline.groups_by_block(model.parameters(), model, blocks=BLOCKS, head=HEAD)
    return {"model": model, "optimizers": (torch.optim.AdamW(groups, lr=0.05), None)}


def test_resume_goes_on_in_the_middle_of_a_ramp_that_trainers_schedule_does_not_see(tmp_path: Path) -> None:
    """At step 4 the top is in the second of its three updates."""

    def train(channel: GrantingChannel, *, resume_from: str | None = None, **changes: Any) -> Trainer:
        with served(channel, tmp_path):
            training = trainer(tmp_path, callback(), **by_block(build_model()), **changes)
            training.train(resume_from_checkpoint=resume_from)
        return training

    undisturbed = train(controlled(SCHEDULE, release_warmup=3), **SAVING)
    checkpoint = tmp_path / "checkpoints" / "checkpoint-4"
    saved = torch.load(checkpoint / "optimizer.pt", weights_only=True)["param_groups"]
    # Trainer's own schedule: linear over six updates. Groups of the stem, the top and the head.
    assert [group["lr"] for group in saved] == pytest.approx([0.05 * 2 / 6] * 3)
    stored = json.loads((checkpoint / "trainer_state.json").read_text())
    ramp = {"blocks": ["top"], "since": 3, "num_updates": 3}
    assert stored["stateful_callbacks"]["ControllerCallback"]["run"]["warming_up"] == [ramp]
    resumed = train(controlled(SCHEDULE, release_warmup=3), resume_from=str(checkpoint))
    assert weights_sha256(resumed.model) == weights_sha256(undisturbed.model)


def test_trainers_own_optimizer_mixes_blocks_and_is_refused_by_name(tmp_path: Path) -> None:
    with (
        served(controlled(SCHEDULE, release_warmup=3), tmp_path),
        pytest.raises(UserError, match=r"group 0 of `optimizer` holds parameters of head, top, stem"),
    ):
        trainer(tmp_path, callback()).train()


@pytest.mark.parametrize("num_updates", [6, 4])
def test_a_checkpoint_of_the_last_update_is_the_end_of_the_run(tmp_path: Path, num_updates: int) -> None:
    """Within an epoch (6 updates), where Trainer would go on beyond `max_steps`, it is left by an exception."""
    with served(controlled(SCHEDULE), tmp_path):
        undisturbed = trainer(tmp_path, callback(), **SAVING, max_steps=num_updates)
        undisturbed.train()
    channel = controlled(SCHEDULE)
    resumed = trainer(tmp_path, callback(), max_steps=num_updates)
    is_left = nullcontext() if num_updates == 6 else pytest.raises(TrainingStopped, match="finished")
    with served(channel, tmp_path), is_left:
        resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoints" / f"checkpoint-{num_updates}"))
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.weights_sha256) == (num_updates, weights_sha256(undisturbed.model))
    assert not resumed.model._forward_hooks


@pytest.mark.usefixtures("alone")
def test_a_checkpoint_from_before_the_callback_is_resumed_from_and_saved_again(tmp_path: Path) -> None:
    undisturbed = trainer(tmp_path, **SAVING)
    undisturbed.train()
    resumed = trainer(tmp_path, callback(), **SAVING)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoints" / "checkpoint-2"))
    assert weights_sha256(resumed.model) == weights_sha256(undisturbed.model)
