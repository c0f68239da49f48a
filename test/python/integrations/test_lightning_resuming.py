"""A Lightning Trainer under a controller, resumed from its checkpoints."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning_training import (
    BLOCKS,
    HEAD,
    SCHEDULE,
    Module,
    WeightsAfterBatch,
    callback,
    controlled,
    fit,
)
from served_channel import served

import thawline
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Finished, Ready


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


class ModuleByBlock(Module):
    def configure_optimizers(self) -> Any:
        groups = thawline.groups_by_block(self.parameters(), self, blocks=BLOCKS, head=HEAD)
        optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.1)
        return [optimizer], [{"scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8), "interval": "step"}]


def test_resume_goes_on_in_the_middle_of_a_ramp_that_lightnings_schedule_does_not_see(tmp_path: Path) -> None:
    saver = ModelCheckpoint(tmp_path, filename="{step}", save_top_k=-1)
    with served(controlled(SCHEDULE, release_warmup=3), tmp_path):
        fit(undisturbed := ModuleByBlock(), tmp_path, callback(), saver)
    checkpoint = tmp_path / "step=4.ckpt"
    stored = torch.load(checkpoint, weights_only=True)
    ramp = {"blocks": ["top"], "since": 3, "num_updates": 3}
    assert stored["callbacks"]["ControllerCallback"]["warming_up"] == [ramp]
    rates = [group["lr"] for group in stored["optimizer_states"][0]["param_groups"]]
    assert rates == [pytest.approx(0.05 * 0.8**4)] * 3
    with served(controlled(SCHEDULE, release_warmup=3), tmp_path):
        fit(resumed := ModuleByBlock(), tmp_path, callback(), ckpt_path=checkpoint)
    assert weights_sha256(resumed) == weights_sha256(undisturbed)
    with served(controlled(SCHEDULE), tmp_path):
        fit(sudden := ModuleByBlock(), tmp_path, callback())
    assert weights_sha256(sudden) != weights_sha256(undisturbed)


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
