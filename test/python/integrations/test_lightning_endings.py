"""A Lightning Trainer under a controller, ended in every way in which a training can end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    GradientAccumulationScheduler,
    ModelCheckpoint,
    StochasticWeightAveraging,
)
from lightning_training import (
    EVERYTHING,
    Module,
    callback,
    controlled,
    fit,
)
from msgspec import UNSET
from served_channel import served

from thawline.lockstep.session import TrainingStopped
from thawline.wire.protocol import Failed, Finished, Ready, Stopped


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


def test_a_training_that_a_callback_ends_before_the_announced_end_is_finished(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        trainer = fit(Module(), tmp_path, callback(), EndsAfterTwo())
    assert trainer.global_step == 2
    assert channel.sent_of(Ready)[0].num_updates == 6
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.early) == (2, True)


@pytest.mark.parametrize(("schedule", "updates"), [({0: 1, 1: 2}, 8), ({0: 3, 1: 1}, 10), ({0: 2}, 6)])
def test_batches_that_are_accumulated_by_a_schedule_are_counted(
    tmp_path: Path, schedule: dict[int, int], updates: int
) -> None:
    """Three epochs of four batches."""
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        trainer = fit(Module(), tmp_path, callback(), GradientAccumulationScheduler(schedule), num_batches=4)
    assert channel.sent_of(Ready)[0].num_updates == trainer.global_step == updates
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.early) == (updates, UNSET)


def test_an_epoch_that_averages_weights_makes_no_updates(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    averaging = StochasticWeightAveraging(swa_lrs=1e-2, swa_epoch_start=1)
    with served(channel, tmp_path):
        trainer = fit(Module(), tmp_path, callback(), averaging, max_epochs=3)
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.step == trainer.global_step
    assert finished.step < (channel.sent_of(Ready)[0].num_updates or 0)
    assert finished.early is True


def test_a_training_that_runs_out_of_time_is_finished(tmp_path: Path) -> None:
    channel = controlled(EVERYTHING)
    with served(channel, tmp_path):
        fit(Module(), tmp_path, callback(), max_epochs=100_000, max_time={"seconds": 1})
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert finished.early is True


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
