"""A Lightning Trainer under a controller, and alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from lightning_training import (
    EVERYTHING,
    SCHEDULE,
    Module,
    WeightsAfterBatch,
    callback,
    controlled,
    fit,
)
from served_channel import served
from torch import Tensor

from thawline.errors import UserError
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Boundary, Finished, Ready
from thawline.wire.values import RecordedValue


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


@pytest.mark.usefixtures("alone")
def test_a_module_that_makes_its_own_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave optimization to Lightning, with one optimizer"):
        fit(Module(num_optimizers=2), tmp_path, callback())


def test_what_the_module_logs_in_validation_is_recorded_by_itself(tmp_path: Path) -> None:
    """Not what it logs in training, nor what the sanity check computes before there is a run."""

    class LoggingModule(Module):
        def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
            loss = super().training_step(batch, batch_idx)
            self.log("train_loss", loss)
            return loss

    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        trainer = fit(LoggingModule(), tmp_path, callback())
    recorded = {body.update: body.recorded for body in channel.sent_of(Boundary) if body.recorded}
    assert sorted(recorded) == [4, 6]
    assert [[value.name for value in values] for values in recorded.values()] == [["val_loss"], ["val_loss"]]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.recorded == [RecordedValue("val_loss", trainer.callback_metrics["val_loss"].item())]
