"""A Hugging Face Trainer that trains PEFT's adapters under a controller."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from adapted_network import BLOCKS, HEAD, SCHEDULE, build_adapted_network, draw_points, first_moves, parameters_of
from example_config import attached_config
from granting_channel import GrantingChannel
from served_channel import served
from torch import Tensor
from transformers import Trainer, TrainerCallback, TrainingArguments

from thawline.integrations.huggingface import ControllerCallback
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Finished

UPDATES = 6


class Watch(TrainerCallback):
    """What Trainer has of gradients before each step, and the weights after it."""

    def __init__(self) -> None:
        self.with_gradient: list[set[str]] = []
        self.history: list[dict[str, Tensor]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.history.append(parameters_of(kwargs["model"]))

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        named = kwargs["model"].named_parameters()
        self.with_gradient.append({name for name, parameter in named if parameter.grad is not None})

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.history.append(parameters_of(kwargs["model"]))


class SetsAdapter(TrainerCallback):
    """As an evaluation that compares adapters does: PEFT turns all of this one trainable."""

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        kwargs["model"].set_adapter("default")


def train(folder: Path, *callbacks: TrainerCallback) -> tuple[Trainer, GrantingChannel]:
    """Clips gradients, as is Trainer's default."""
    points = [{"inputs": one, "labels": label} for one, label in zip(*draw_points(1, 24), strict=True)]
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        max_steps=UPDATES,
        per_device_train_batch_size=4,
        learning_rate=0.05,
        weight_decay=0.1,
        max_grad_norm=0.1,
        eval_strategy="steps",
        eval_steps=1,
        save_strategy="no",
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        label_names=["labels"],
    )
    controller = ControllerCallback(blocks=BLOCKS, head=HEAD)
    trainer = Trainer(
        model=build_adapted_network(),
        args=arguments,
        train_dataset=points,
        eval_dataset=points[:4],
        callbacks=[controller, *callbacks],
    )
    channel = GrantingChannel(SCHEDULE, config=attached_config())
    with served(channel, folder):
        trainer.train()
    return trainer, channel


def of_blocks(names: set[str], block_names: list[str]) -> set[str]:
    parts = {"head": ".head.modules_to_save.", "top": ".layers.1.lora_", "bottom": ".layers.0.lora_"}
    return {name for name in names if any(parts[block] in name for block in block_names)}


@pytest.mark.parametrize("disturbances", [[], [SetsAdapter()]], ids=["alone", "set_adapter"])
def test_adapters_are_unfrozen_in_their_own_update_and_have_no_gradient_before(
    tmp_path: Path, disturbances: list[TrainerCallback]
) -> None:
    watch = Watch()
    trainer, channel = train(tmp_path, watch, *disturbances)
    names = set(watch.history[0])
    due = [SCHEDULE[1], SCHEDULE[1], SCHEDULE[3], SCHEDULE[3], SCHEDULE[5], SCHEDULE[5]]
    assert watch.with_gradient == [of_blocks(names, blocks) for blocks in due]
    moves = first_moves(watch.history)
    assert {name: moves[name] for name in of_blocks(names, ["head"])} == dict.fromkeys(of_blocks(names, ["head"]), 1)
    assert {name: moves[name] for name in of_blocks(names, ["top"])} == dict.fromkeys(of_blocks(names, ["top"]), 3)
    bottom = of_blocks(names, ["bottom"])
    assert {name: moves[name] for name in bottom} == dict.fromkeys(bottom, 5)
    assert set(moves) == of_blocks(names, ["head", "top", "bottom"])

    counts = [body.num_trainable for body in channel.sent_of(Applied)]
    assert [later - earlier for earlier, later in itertools.pairwise(counts)] == [2 * 6 + 6 * 2, 2 * 4 + 6 * 2]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.weights_sha256 == weights_sha256(trainer.model)


def test_a_call_of_peft_in_an_evaluation_changes_no_bit(tmp_path: Path) -> None:
    undisturbed, _ = train(tmp_path)
    disturbed, _ = train(tmp_path, SetsAdapter())
    assert weights_sha256(disturbed.model) == weights_sha256(undisturbed.model)
