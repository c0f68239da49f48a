"""A Lightning Trainer under a controller, alone, resumed, and ended in every way in which a training can end."""

from __future__ import annotations

import itertools
import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from example_config import attached_config
from granting_channel import GrantingChannel
from served_channel import served
from thawline.attached import Probe
from thawline.bootstrap import BOOTSTRAP_VARIABLE
from thawline.errors import UserError
from thawline.integrations.lightning import ControllerCallback
from thawline.probes import ClassificationObjective
from thawline.protocol import Applied, Boundary, Failed, Finished, Ready, Stopped
from thawline.session import TrainingStopped
from thawline.weights import weights_sha256
from tiny_training import TinyNetwork, draw_batch

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
    return GrantingChannel(schedule, config=attached_config(), **arguments)


class WeightsAfterBatch(Callback):
    def __init__(self, module: nn.Module) -> None:
        self.seen = [copy_weights(module)]

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.seen.append(copy_weights(pl_module))


def copy_weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def test_a_block_moves_from_the_update_on_in_which_it_is_unfrozen(tmp_path: Path) -> None:
    channel = controlled(SCHEDULE, metrics=["fisher_trace"], probe_every=2)
    module = Module()
    spy = WeightsAfterBatch(module)
    with served(channel, tmp_path):
        fit(module, tmp_path, callback(), spy)
    first_moves = {
        name: next(update for update in range(1, 7) if not torch.equal(spy.seen[update][name], spy.seen[0][name]))
        for name in spy.seen[0]
    }
    assert {first_moves[name] for name in first_moves if ".head." in name} == {1}
    assert {first_moves[name] for name in first_moves if ".conv2." in name or ".bn2." in name} == {3}
    assert {first_moves[name] for name in first_moves if ".conv1." in name or ".bn1." in name} == {5}

    assert channel.sent_of(Ready)[0].num_updates == 6
    assert [body.update for body in channel.sent_of(Applied)] == [1, 3, 5]
    assert {body.update for body in channel.sent_of(Boundary) if body.metrics} == {1, 2, 4, 6}
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.weights_sha256 == weights_sha256(module)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)


def sha256_without_callback(folder: Path) -> str:
    fit(module := Module(), folder)
    return weights_sha256(module)


@pytest.mark.usefixtures("alone")
def test_without_a_controller_training_is_what_it_was(tmp_path: Path) -> None:
    fit(module := Module(), tmp_path, callback())
    assert weights_sha256(module) == sha256_without_callback(tmp_path)


def test_probing_and_validating_between_updates_changes_no_bit(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, metrics=["fisher_trace", "sharpness_avg"], probe_every=1)
    with served(channel, tmp_path):
        fit(module := Module(), tmp_path, callback(), val_check_interval=1)
    assert weights_sha256(module) == sha256_without_callback(tmp_path)


def test_a_factor_survives_the_scheduler(tmp_path: Path) -> None:
    module = Module()
    with served(controlled(EVERYTHING, factors={1: 0.1, 4: 1.0}), tmp_path):
        trainer = fit(module, tmp_path, callback())
    scheduled = [0.05 * 0.8**step for step in range(6)]
    assert module.used_rates == pytest.approx([rate * 0.1 for rate in scheduled[:3]] + scheduled[3:])
    assert trainer.lr_scheduler_configs[0].scheduler.base_lrs == [0.05]


def test_an_update_of_several_batches_is_one(tmp_path: Path) -> None:
    """Five batches an epoch in twos: Lightning makes a step after the last one, too."""
    channel = controlled({1: ["head"], 3: ["head", "top"]}, probe_every=1)
    module = Module()
    spy = WeightsAfterBatch(module)
    with served(channel, tmp_path):
        fit(module, tmp_path, callback(), spy, num_batches=5, max_epochs=1, accumulate_grad_batches=2)
    assert [body.update for body in channel.sent_of(Boundary)] == [1, 2, 3, 4]
    heads = [seen["network.head.bias"] for seen in spy.seen]
    moved = [not torch.equal(before, after) for before, after in itertools.pairwise(heads)]
    assert moved == [False, True, False, True, True]
    tops = [seen["network.conv2.weight"] for seen in spy.seen]
    assert [not torch.equal(before, after) for before, after in itertools.pairwise(tops)] == [False] * 4 + [True]


@pytest.mark.parametrize("step", [2, 4])
def test_resume_goes_on_with_the_blocks_that_were_unfrozen(tmp_path: Path, step: int) -> None:
    """At step 2 the factor holds, and is not in the rates that Lightning saved."""
    arguments = {"metrics": ["fisher_trace"], "probe_every": 2, "factors": {1: 0.1, 4: 1.0}}
    saver = ModelCheckpoint(tmp_path, filename="{step}", save_top_k=-1)
    with served(controlled(SCHEDULE, **arguments), tmp_path):
        fit(undisturbed := Module(), tmp_path, callback(), saver)

    checkpoint = tmp_path / f"step={step}.ckpt"
    stored = torch.load(checkpoint, weights_only=True)["callbacks"]["ControllerCallback"]
    kept = {2: (["head"], 0.1), 4: (["head", "top"], 1.0)}[step]
    assert (stored["step"], stored["trainable"], stored["learning_rate_factor"]) == (step, *kept)
    assert {point["update"] for point in stored["series"]["probe/fisher_trace"]} >= {1, 2, step}

    channel = controlled(SCHEDULE, **arguments)
    resumed = Module()
    spy = WeightsAfterBatch(resumed)
    with served(channel, tmp_path):
        trainer = fit(resumed, tmp_path, callback(), spy, ckpt_path=checkpoint)
    assert channel.sent_of(Ready)[0].resumed_from == step
    applied = {2: [(3, 21), (3, 249), (4, 249), (5, 293)], 4: [(5, 249), (5, 293)]}[step]
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == applied
    stem = [seen["network.conv1.weight"] for seen in spy.seen[1:]]
    moved = [not torch.equal(before, after) for before, after in itertools.pairwise(stem)]
    assert moved == [update >= 5 for update in range(step + 2, 7)]
    assert weights_sha256(resumed) == weights_sha256(undisturbed)
    assert resumed.used_rates == undisturbed.used_rates[step:]
    assert trainer.lr_scheduler_configs[0].scheduler.base_lrs == [0.05]


def test_a_checkpoint_of_the_last_update_is_the_end_of_the_run(tmp_path: Path) -> None:
    """Lightning then calls none of the hooks of training."""
    with served(controlled(SCHEDULE), tmp_path):
        fit(undisturbed := Module(), tmp_path, callback(), ModelCheckpoint(tmp_path, filename="{step}"))
    channel = controlled(SCHEDULE)
    with served(channel, tmp_path):
        fit(resumed := Module(), tmp_path, callback(), ckpt_path=tmp_path / "step=6.ckpt")
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.weights_sha256) == (6, weights_sha256(undisturbed))
    assert resumed.num_batches == 0


@pytest.mark.usefixtures("alone")
def test_a_checkpoint_from_before_the_callback_is_resumed_from(tmp_path: Path) -> None:
    fit(undisturbed := Module(), tmp_path, ModelCheckpoint(tmp_path, filename="{step}", save_top_k=-1))
    fit(resumed := Module(), tmp_path, callback(), ckpt_path=tmp_path / "step=2.ckpt")
    assert weights_sha256(resumed) == weights_sha256(undisturbed)


@pytest.mark.parametrize("update", [1, 4])
def test_a_stop_makes_no_further_update_and_keeps_the_last_weights(tmp_path: Path, update: int) -> None:
    channel = controlled(EVERYTHING, stop=(update, "operator", False))
    module = Module()
    with served(channel, tmp_path):
        trainer = fit(module, tmp_path, callback(), ModelCheckpoint(tmp_path, filename="{step}", save_last=True))
    assert trainer.global_step == update - 1
    assert module.num_batches == update - 1
    stopped = channel.sent[-1]
    assert isinstance(stopped, Stopped)
    assert stopped.step == update - 1
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == update - 1


def test_a_stop_that_lightning_would_ignore_is_raised(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, stop=(4, "operator", False))
    module = Module()
    with served(channel, tmp_path), pytest.raises(TrainingStopped, match="operator"):
        fit(module, tmp_path, callback(), min_epochs=3)
    assert module.num_batches == 3
    assert isinstance(channel.sent[-1], Stopped)


def test_an_update_whose_step_a_scaler_skips_counts_and_its_loss_is_not_looked_at(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING, probe_every=1)
    module = Module(overflowing=3)
    spy = WeightsAfterBatch(module)
    precision = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu"))
    with served(channel, tmp_path):
        fit(module, tmp_path, callback(), spy, plugins=[precision])
    biases = [seen["network.head.bias"] for seen in spy.seen]
    changed = [not torch.equal(before, after) for before, after in itertools.pairwise(biases)]
    assert changed == [True, True, False, True, True, True]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.step == 6


@pytest.mark.parametrize(
    ("fault", "code", "step"), [({"overflowing": 3}, "non_finite_loss", 3), ({"failing": 4}, "exception", 3)]
)
def test_an_exception_is_told_to_the_controller(tmp_path: Path, fault: dict[str, int], code: str, step: int) -> None:
    channel = controlled(EVERYTHING, probe_every=1)
    with served(channel, tmp_path), pytest.raises(Exception, match=r"inf at update 3|a bug in the module"):
        fit(Module(**fault), tmp_path, callback())
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.code, failed.step) == (code, step)


class EndsAfterTwo(Callback):
    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        trainer.should_stop = trainer.global_step == 2


def test_an_end_before_the_announced_one_is_told_as_a_mistake(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path), pytest.raises(UserError, match="make 6 updates, but it ended after 2"):
        fit(Module(), tmp_path, callback(), EndsAfterTwo())
    assert isinstance(channel.sent[-1], Failed)


@pytest.mark.parametrize(
    ("arguments", "stopper"),
    [
        ({"may_end_early": True}, EndsAfterTwo()),
        ({}, EarlyStopping("val_loss", min_delta=1e9, patience=0, strict=False, check_on_train_epoch_end=False)),
    ],
)
def test_an_end_that_may_be_early_is_not_announced(
    tmp_path: Path, arguments: dict[str, Any], stopper: Callback
) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        trainer = fit(Module(), tmp_path, callback(**arguments), stopper)
    assert trainer.global_step < 6
    assert channel.sent_of(Ready)[0].num_updates is None
    assert isinstance(channel.sent[-1], Finished)


@pytest.mark.usefixtures("alone")
def test_a_module_that_makes_its_own_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave optimization to Lightning, with one optimizer"):
        fit(Module(num_optimizers=2), tmp_path, callback())
