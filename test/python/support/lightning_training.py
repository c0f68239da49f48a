"""A Lightning Trainer over a tiny network, and a controller that stands in for a real one."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from example_config import attached_config
from granting_channel import GrantingChannel
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from tiny_training import TinyNetwork, draw_batch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from thawline.attached.attach import Probe
from thawline.integrations.lightning import ControllerCallback
from thawline.probes import ClassificationObjective

BLOCKS = [("top", r"\.(conv2|bn2)\."), ("stem", r"\.(conv1|bn1)\.")]
HEAD = r"\.head\."
SCHEDULE = {1: ["head"], 3: ["head", "top"], 5: ["head", "top", "stem"]}
EVERYTHING = {1: ["head", "top", "stem"]}


class Module(LightningModule):
    """`num_optimizers` is one where Lightning is to make the steps; the loss of batch `overflowing` is infinite."""

    def __init__(self, *, num_optimizers: int = 1, overflowing: int | None = None, failing: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = TinyNetwork()
        self.automatic_optimization = num_optimizers == 1
        self.num_optimizers = num_optimizers
        self.overflowing = overflowing
        self.failing = failing
        self.num_batches = 0
        self.used_rates: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        self.num_batches += 1
        assert self.num_batches != self.failing, "a bug in the module"
        loss = functional.cross_entropy(self(batch[0]), batch[1])
        return loss * torch.inf if self.num_batches == self.overflowing else loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("val_loss", functional.cross_entropy(self(batch[0]), batch[1]), batch_size=len(batch[1]))

    def configure_optimizers(self) -> Any:
        optimizers = [
            torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1)
            for _ in range(self.num_optimizers)
        ]
        schedulers = [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8) for optimizer in optimizers]
        return optimizers, [{"scheduler": scheduler, "interval": "step"} for scheduler in schedulers]

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.used_rates.append(optimizer.param_groups[0]["lr"])


def loader(num_batches: int = 2) -> DataLoader[Any]:
    return DataLoader(list(zip(*draw_batch(1, 4 * num_batches), strict=True)), batch_size=4)


def callback(**changes: Any) -> ControllerCallback:
    probe = Probe([draw_batch(0), draw_batch(-1)], ClassificationObjective(head_name="network.head"))
    return ControllerCallback(**{"blocks": BLOCKS, "head": HEAD, "probe": probe} | changes)


def fit(
    module: Module,
    folder: Path,
    *callbacks: Callback,
    num_batches: int = 2,
    ckpt_path: Path | None = None,
    **changes: Any,
) -> Trainer:
    arguments: dict[str, Any] = {
        "max_epochs": 3,
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": any(isinstance(one, ModelCheckpoint) for one in callbacks),
        "default_root_dir": folder,
        "num_sanity_val_steps": 1,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = Trainer(callbacks=list(callbacks), **arguments | changes)
        trainer.fit(module, loader(num_batches), loader(), ckpt_path=None if ckpt_path is None else str(ckpt_path))
    return trainer


def controlled(schedule: dict[int, list[str]], **arguments: Any) -> GrantingChannel:
    config = attached_config(groups_by_block="release_warmup" in arguments)
    return GrantingChannel(schedule, config=config, **arguments)


class WeightsAfterBatch(Callback):
    def __init__(self, module: nn.Module) -> None:
        self.seen = [copy_weights(module)]

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.seen.append(copy_weights(pl_module))


def copy_weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}
