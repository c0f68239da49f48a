"""A Lightning Trainer under a controller, ended in every way in which a training can end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

from lightning_training import (
    EVERYTHING,
    Module,
    callback,
    controlled,
    fit,
)
from served_channel import served
from thawline.errors import UserError
from thawline.protocol import Failed, Finished, Ready, Stopped
from thawline.session import TrainingStopped


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
