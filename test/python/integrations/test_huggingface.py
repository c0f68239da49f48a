"""A Hugging Face Trainer under a controller, alone, resumed, and ended in every way in which a training can end."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from example_config import attached_config
from granting_channel import GrantingChannel
from served_channel import served
from thawline.attached import Probe
from thawline.bootstrap import BOOTSTRAP_VARIABLE
from thawline.errors import NonFiniteLossError, UserError
from thawline.integrations.huggingface import ControllerCallback, OutputLosses
from thawline.probes import ClassificationObjective
from thawline.protocol import Applied, Boundary, Failed, Finished, Ready, Stopped
from thawline.session import TrainingStopped
from thawline.weights import weights_sha256
from tiny_training import BLOCKS, HEAD, TinyNetwork, draw_batch

SCHEDULE = {1: ["head"], 3: ["head", "top"], 5: ["head", "top", "stem"]}
EVERYTHING = {1: ["head", "top", "stem"]}


class Classifier(TinyNetwork):
    """In the manner of transformers: called with labels, it returns the loss too."""

    def forward(self, images: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits = super().forward(images)
        if labels is None:
            return {"logits": logits}
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


class CountingClassifier(Classifier):
    """Divides by the number of examples of the whole update, as language models do by that of tokens."""

    def forward(self, images: Tensor, labels: Tensor | None = None, **kwargs: Any) -> dict[str, Tensor]:
        output = super().forward(images, labels)
        num_items = kwargs.get("num_items_in_batch")
        if num_items is not None:
            output["loss"] = functional.cross_entropy(output["logits"], labels, reduction="sum") / num_items
        return output


class Objective(ClassificationObjective):
    def logits(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> list[Tensor]:
        return [model(batch[0])["logits"]]


def build_model(kind: type[Classifier] = Classifier) -> Classifier:
    torch.manual_seed(0)
    return kind()


def examples(num: int = 24) -> list[dict[str, Tensor]]:
    images, labels = draw_batch(1, num)
    return [{"images": image, "labels": label} for image, label in zip(images, labels, strict=True)]


def callback(**changes: Any) -> ControllerCallback:
    probe = Probe([draw_batch(0), draw_batch(-1)], Objective())
    return ControllerCallback(**{"blocks": BLOCKS, "head": HEAD, "probe": probe} | changes)


def trainer(folder: Path, *callbacks: TrainerCallback, model: nn.Module | None = None, **changes: Any) -> Trainer:
    arguments = {
        "output_dir": str(folder / "checkpoints"),
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "learning_rate": 0.05,
        "weight_decay": 0.1,
        "save_strategy": "no",
        "use_cpu": True,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
    return Trainer(
        model=build_model() if model is None else model,
        args=TrainingArguments(**arguments | changes),
        train_dataset=examples(),
        eval_dataset=examples(8),
        callbacks=list(callbacks),
    )


def controlled(schedule: dict[int, list[str]], **arguments: Any) -> GrantingChannel:
    return GrantingChannel(schedule, config=attached_config(), **arguments)


class AfterStep(TrainerCallback):
    """Keeps what `look` sees of the model and the optimizer after each update."""

    def __init__(self, look: Callable[[nn.Module, torch.optim.Optimizer], Any]) -> None:
        self.seen: list[Any] = []
        self._look = look

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.seen.append(self._look(kwargs["model"], kwargs["optimizer"]))


def weights(model: nn.Module, _: object) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


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


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)


EVERY_STEP = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 1, "logging_steps": 1}


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


class OverflowingClassifier(Classifier):
    """Its loss, and so its gradient, is not finite in the third batch."""

    def __init__(self) -> None:
        super().__init__()
        self.num_batches = 0

    def forward(self, images: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        output = super().forward(images, labels)
        if labels is not None and self.training:
            self.num_batches += 1
            output["loss"] = output["loss"] * (torch.inf if self.num_batches == 3 else 1)
        return output


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


def test_an_end_before_the_announced_one_is_told_as_a_mistake(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path), pytest.raises(UserError, match="make 6 updates, but it ended after 2"):
        trainer(tmp_path, callback(), EndsAfterTwo()).train()
    assert isinstance(channel.sent[-1], Failed)


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


@pytest.mark.usefixtures("alone")
def test_what_was_frozen_before_training_is_missing_in_the_optimizer(tmp_path: Path) -> None:
    model = build_model()
    model.conv1.requires_grad_(False)
    with pytest.raises(UserError, match=r"must hold every parameter .* lacks conv1\.weight"):
        trainer(tmp_path, callback(), model=model).train()
