"""A Hugging Face Trainer over a tiny network, and a controller that stands in for a real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from example_config import attached_config
from granting_channel import GrantingChannel
from tiny_training import BLOCKS, HEAD, TinyNetwork, draw_batch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Trainer, TrainerCallback, TrainingArguments

from thawline.attached.attach import Probe
from thawline.integrations.huggingface import ControllerCallback
from thawline.probes import ClassificationObjective

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


def trainer(
    folder: Path,
    *callbacks: TrainerCallback,
    model: nn.Module | None = None,
    optimizers: tuple[torch.optim.Optimizer | None, None] = (None, None),
    **changes: Any,
) -> Trainer:
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
        optimizers=optimizers,
    )


def controlled(schedule: dict[int, list[str]], **arguments: Any) -> GrantingChannel:
    config = attached_config(groups_by_block="release_warmup" in arguments)
    return GrantingChannel(schedule, config=config, **arguments)


class AfterStep(TrainerCallback):
    """Keeps what `look` sees of the model and the optimizer after each update."""

    def __init__(self, look: Callable[[nn.Module, torch.optim.Optimizer], Any]) -> None:
        self.seen: list[Any] = []
        self._look = look

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.seen.append(self._look(kwargs["model"], kwargs["optimizer"]))


def weights(model: nn.Module, _: object) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


EVERY_STEP = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 1, "logging_steps": 1}


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
