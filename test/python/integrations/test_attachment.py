"""What both callbacks rely on, where neither trainer is needed to see it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from example_config import attached_config
from granting_channel import GrantingChannel
from served_channel import served
from tiny_training import BLOCKS, HEAD, build_network, sgd

from thawline.errors import UserError
from thawline.integrations.attachment import Attachment, TrainerLoop
from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE
from thawline.wire.protocol import Boundary, Failed, Log
from thawline.wire.values import RecordedValue

EVERYTHING = {1: ["head", "top", "stem"]}


def open_training(attachment: Attachment, *, num_devices: int = 1) -> None:
    model = build_network()
    attachment.open(model, sgd(model), TrainerLoop(num_updates=6, num_devices=num_devices))


def new_attachment() -> Attachment:
    return Attachment(blocks=BLOCKS, head=HEAD, probe=None, may_end_early=False)


def test_several_devices_are_refused_under_a_controller_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)
    open_training(new_attachment(), num_devices=2)
    monkeypatch.setenv(BOOTSTRAP_VARIABLE, "/nowhere/bootstrap.json")
    with pytest.raises(UserError, match="uses 2 devices, but a controlled one runs on one"):
        open_training(new_attachment(), num_devices=2)


def test_without_a_controller_a_second_training_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)
    attachment = new_attachment()
    open_training(attachment)
    attachment.count_update(None)
    attachment.finish()
    assert attachment.step == 1
    open_training(attachment)
    assert attachment.step == 0


def test_under_a_controller_a_second_training_is_refused(tmp_path: Path) -> None:
    attachment = new_attachment()
    with served(GrantingChannel(EVERYTHING, config=attached_config(needs_probe=False)), tmp_path):
        open_training(attachment)
        with pytest.raises(UserError, match="a second training began in this process"):
            open_training(attachment)
        attachment.abandon(KeyboardInterrupt())


def test_what_is_told_of_a_training_left_by_an_exception(tmp_path: Path) -> None:
    channel = GrantingChannel(EVERYTHING, config=attached_config(needs_probe=False))
    attachment = new_attachment()
    with served(channel, tmp_path):
        open_training(attachment)
        attachment.count_update(torch.tensor(1.0))
        attachment.abandon(ZeroDivisionError("a bug"))
        attachment.abandon(RuntimeError("at exit, once more"))
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.step, failed.message) == (1, "ZeroDivisionError: a bug")


def test_what_a_trainer_evaluates_is_recorded_but_for_what_cannot_be_which_is_named_once(tmp_path: Path) -> None:
    attachment = new_attachment()
    channel = GrantingChannel(EVERYTHING, config=attached_config(needs_probe=False))
    evaluated = {"eval_loss": 0.5, "f1 (macro)": 1.0, "report": "fine"}

    def train() -> None:
        with served(channel, tmp_path):
            attachment.record(evaluated)  # Before the training: nobody hears it.
            open_training(attachment)
            for _ in range(2):
                attachment.record(evaluated)
                attachment.count_update(None)
            attachment.finish()
            attachment.record(evaluated)

    with pytest.warns(UserWarning, match=r"not recorded of what was evaluated: f1 \(macro\), report;"):
        train()
    recorded = {body.update: body.recorded for body in channel.sent_of(Boundary) if body.recorded}
    assert recorded == {update: [RecordedValue("eval_loss", 0.5)] for update in (2, 3)}
    assert sum("not recorded" in body.text for body in channel.sent_of(Log)) == 1
