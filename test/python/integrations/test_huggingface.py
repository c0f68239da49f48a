"""A Hugging Face Trainer under a controller, and alone."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_training import (
    EVERY_STEP,
    EVERYTHING,
    SCHEDULE,
    AfterStep,
    Classifier,
    CountingClassifier,
    OverflowingClassifier,
    build_model,
    callback,
    controlled,
    trainer,
    weights,
)
from served_channel import served
from transformers import TrainerCallback

from thawline.errors import UserError
from thawline.integrations.huggingface import OutputLosses
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Boundary, Finished, Ready
from thawline.wire.values import RecordedValue


def test_a_block_moves_from_the_update_on_in_which_it_is_unfrozen(tmp_path: Path) -> None:
    channel = controlled(SCHEDULE, metrics=["fisher_trace"], probe_every=2)
    spy = AfterStep(weights)
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), spy)
        made.train()
    history = [weights(build_model(), None), *spy.seen]
    first_moves = {
        name: next(update for update in range(1, 7) if not torch.equal(history[update][name], history[0][name]))
        for name in history[0]
    }
    assert {first_moves[name] for name in first_moves if name.startswith("head")} == {1}
    assert {first_moves[name] for name in first_moves if name.startswith(("conv2", "bn2"))} == {3}
    assert {first_moves[name] for name in first_moves if name.startswith(("conv1", "bn1"))} == {5}

    assert channel.sent_of(Ready)[0].num_updates == 6
    assert [body.update for body in channel.sent_of(Applied)] == [1, 3, 5]
    assert {body.update for body in channel.sent_of(Boundary) if body.metrics} == {1, 2, 4, 6}
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.weights_sha256 == weights_sha256(made.model)
    assert not made.model._forward_hooks


def train_without_callback(folder: Path, **changes: Any) -> tuple[str, list[dict[str, float]]]:
    """Weights, and the losses that Trainer logged."""
    made = trainer(folder, **changes)
    made.train()
    return weights_sha256(made.model), [entry["loss"] for entry in made.state.log_history if "loss" in entry]


@pytest.mark.usefixtures("alone")
def test_without_a_controller_training_is_what_it_was(tmp_path: Path) -> None:
    made = trainer(tmp_path, callback(), **EVERY_STEP)
    made.train()
    losses = [entry["loss"] for entry in made.state.log_history if "loss" in entry]
    assert (weights_sha256(made.model), losses) == train_without_callback(tmp_path, **EVERY_STEP)


def test_probing_evaluating_and_saving_between_updates_changes_no_bit(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, metrics=["fisher_trace", "sharpness_avg"], probe_every=1)
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), **EVERY_STEP)
        made.train()
    assert weights_sha256(made.model) == train_without_callback(tmp_path)[0]


def test_a_factor_survives_the_scheduler_and_does_not_touch_it(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, factors={1: 0.1, 4: 1.0})
    made = trainer(tmp_path, callback(), optim="sgd", logging_steps=1)
    used: list[float] = []

    class Listener(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            # Registered after the callback's own hook, so it sees the rate that the step is made with.
            optimizer = kwargs["optimizer"].optimizer
            optimizer.register_step_pre_hook(lambda *_: used.append(optimizer.param_groups[0]["lr"]))

    made.add_callback(Listener())
    with served(channel, tmp_path):
        made.train()
    scheduled = [0.05 * (6 - step) / 6 for step in range(6)]
    assert used == pytest.approx([rate * 0.1 for rate in scheduled[:3]] + scheduled[3:])
    # Trainer logs the rate of the next update.
    logged = [entry["learning_rate"] for entry in made.state.log_history if "learning_rate" in entry]
    assert logged == pytest.approx(scheduled)
    assert made.lr_scheduler.base_lrs == [0.05, 0.05]


@pytest.mark.parametrize("kind", [Classifier, CountingClassifier])
def test_an_update_of_several_batches_is_one_with_the_loss_that_trainer_logs(
    tmp_path: Path, kind: type[Classifier]
) -> None:
    model = build_model(kind)
    losses = OutputLosses(model)
    spy = AfterStep(lambda *_: losses.take().item())
    accumulating = {"max_steps": 4, "gradient_accumulation_steps": 3, "logging_steps": 1}
    channel = controlled({1: ["head"], 3: ["head", "top"]}, probe_every=1)
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), spy, model=model, **accumulating)
        made.train()
    logged = [entry["loss"] for entry in made.state.log_history if "loss" in entry]
    assert spy.seen == pytest.approx(logged, rel=1e-5)
    assert [body.update for body in channel.sent_of(Boundary)] == [1, 2, 3, 4, 5]
    losses.detach()


@pytest.mark.parametrize("optimizer", ["adamw_torch", "adamw_torch_fused"])
def test_an_update_whose_step_a_scaler_skips_counts_and_its_loss_is_not_looked_at(
    tmp_path: Path, optimizer: str
) -> None:
    channel = controlled(EVERYTHING, probe_every=1)
    spy = AfterStep(weights)
    model = build_model(OverflowingClassifier)
    made = trainer(tmp_path, callback(), spy, model=model, max_grad_norm=0, optim=optimizer)
    made.accelerator.scaler = torch.amp.GradScaler("cpu")
    with served(channel, tmp_path):
        made.train()
    biases = [seen["head.bias"] for seen in spy.seen]
    changed = [not torch.equal(before, after) for before, after in itertools.pairwise(biases)]
    assert changed == [True, False, True, True, True]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.step == 6


@pytest.mark.usefixtures("alone")
def test_what_was_frozen_before_training_is_missing_in_the_optimizer(tmp_path: Path) -> None:
    model = build_model()
    model.conv1.requires_grad_(False)
    with pytest.raises(UserError, match=r"must hold every parameter .* lacks conv1\.weight"):
        trainer(tmp_path, callback(), model=model).train()


def test_what_trainer_evaluates_is_recorded_by_itself_also_after_the_last_update(tmp_path: Path) -> None:
    """Its scores, and not how long they took; each for the boundary after the one that has been passed already."""
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        made = trainer(tmp_path, callback(), eval_strategy="steps", eval_steps=2)
        made.train()
        made.evaluate()
    logged = [entry["eval_loss"] for entry in made.state.log_history if "eval_loss" in entry]
    recorded = {body.update: body.recorded for body in channel.sent_of(Boundary) if body.recorded}
    assert recorded == {4: [RecordedValue("eval_loss", logged[0])], 6: [RecordedValue("eval_loss", logged[1])]}
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.recorded == [RecordedValue("eval_loss", logged[2])]
