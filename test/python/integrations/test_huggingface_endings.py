"""A Hugging Face Trainer under a controller, ended in every way in which a training can end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_training import (
    EVERY_STEP,
    EVERYTHING,
    OverflowingClassifier,
    build_model,
    callback,
    controlled,
    trainer,
)
from served_channel import served
from transformers import EarlyStoppingCallback, TrainerCallback

from thawline.errors import NonFiniteLossError
from thawline.lockstep.session import TrainingStopped
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Failed, Finished, Ready, Stopped


def test_a_stop_saves_a_checkpoint_and_makes_no_further_update(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, stop=(4, "operator", False))
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), save_strategy="steps", save_steps=100)
        made.train()
    assert made.state.global_step == 3
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-3"]
    stopped = channel.sent[-1]
    assert isinstance(stopped, Stopped)
    assert stopped.step == 3


def test_a_stop_before_the_first_update_leaves_the_weights_alone(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, stop=(1, "interrupted", False), probe_every=1)
    made = trainer(tmp_path, callback())
    with served(channel, tmp_path), pytest.raises(TrainingStopped, match="interrupted"):
        made.train()
    assert weights_sha256(made.model) == weights_sha256(build_model())
    assert isinstance(channel.sent[-1], Stopped)


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path: Path) -> None:
    made = trainer(tmp_path, callback(), model=build_model(OverflowingClassifier), max_grad_norm=0)
    channel = controlled(EVERYTHING, probe_every=1)
    with served(channel, tmp_path), pytest.raises(NonFiniteLossError, match="inf at update 3"):
        made.train()
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.code, failed.step) == ("non_finite_loss", 3)


class EndsAfterTwo(TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_training_stop |= state.global_step == 2


def test_a_training_that_a_callback_ends_before_the_announced_end_is_finished(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), EndsAfterTwo())
        made.train()
    assert channel.sent_of(Ready)[0].num_updates == 6
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.early) == (2, True)
    assert finished.weights_sha256 == weights_sha256(made.model)


def test_an_end_that_may_be_early_is_not_announced(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        trainer(tmp_path, callback(may_end_early=True), EndsAfterTwo()).train()
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, channel.sent_of(Ready)[0].num_updates) == (2, None)


def test_early_stopping_is_noticed(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    stopper = EarlyStoppingCallback(early_stopping_patience=1, early_stopping_threshold=1e9)
    best = {"metric_for_best_model": "eval_loss", "load_best_model_at_end": True, "save_strategy": "steps"}
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), stopper, **EVERY_STEP | best | {"save_steps": 1})
        made.train()
    assert (made.state.global_step, channel.sent_of(Ready)[0].num_updates) == (2, None)
    assert isinstance(channel.sent[-1], Finished)
