"""A Hugging Face Trainer under a controller, resumed from its checkpoints."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from huggingface_training import (
    SCHEDULE,
    callback,
    controlled,
    trainer,
)
from served_channel import served

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
