"""A loop of Accelerate's: its `prepare` wraps optimizer and scheduler, and leaves out steps of its own accord."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from example_config import attached_config
from granting_channel import GrantingChannel
from tiny_training import BLOCKS, HEAD, build_network, draw_batch, sgd
from torch.nn import functional

from thawline.attached.arguments import check_arguments
from thawline.attached.attach import AttachedRun, attach_over
from thawline.storage.weights import weights_sha256
from thawline.wire.protocol import Applied, Finished

EVERYTHING = {1: ["head", "top", "stem"]}
SCHEDULE = {1: ["head"], 3: ["head", "top"], 5: ["head", "top", "stem"]}


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """It keeps its state in the process."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


class AccelerateLoop:
    def __init__(self, *, num_parts: int = 1) -> None:
        self.num_parts = num_parts
        self.accelerator = Accelerator(cpu=True, gradient_accumulation_steps=num_parts)
        model = build_network()
        optimizer = sgd(model)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
        self.model, self.optimizer, self.scheduler = self.accelerator.prepare(model, optimizer, scheduler)
        self.used: list[float] = []

    def check(self) -> Any:
        return check_arguments(
            self.model, self.optimizer, blocks=BLOCKS, head=HEAD, probe=None, num_updates=6, resumed_from=0
        )

    def run(self, run: AttachedRun | None) -> None:
        inner = self.optimizer.optimizer
        inner.register_step_pre_hook(lambda *_: self.used.append(inner.param_groups[0]["lr"]))
        for update in range(1, 7):
            if run is not None:
                run.before_update()
            for part in range(self.num_parts):
                images, labels = draw_batch(10 * update + part)
                with self.accelerator.accumulate(self.model):
                    loss = functional.cross_entropy(self.model(images), labels)
                    self.accelerator.backward(loss)
                    self.optimizer.step()
                    self.scheduler.step()
                    self.optimizer.zero_grad()
            if run is not None:
                run.after_update(loss)


def controlled(schedule: dict[int, list[str]], **arguments: Any) -> GrantingChannel:
    return GrantingChannel(schedule, config=attached_config(), **arguments)


@pytest.mark.parametrize("num_parts", [1, 3])
def test_mask_and_factor_hold_in_a_prepared_optimizer(num_parts: int) -> None:
    channel = controlled(SCHEDULE, factors={1: 0.1, 4: 1.0})
    loop = AccelerateLoop(num_parts=num_parts)
    with attach_over(channel, "run-1", 1, loop.check) as run:
        loop.run(run)
    scheduled = [0.05 * 0.8**step for step in range(6)]
    assert loop.used == pytest.approx([rate * 0.1 for rate in scheduled[:3]] + scheduled[3:])
    counts = [(1, 21), (3, 249), (4, 249), (5, 293)]
    assert [(body.update, body.num_trainable) for body in channel.sent_of(Applied)] == counts
    assert isinstance(channel.sent[-1], Finished)


def test_a_controller_that_changes_nothing_changes_no_bit() -> None:
    alone = AccelerateLoop()
    alone.run(None)
    loop = AccelerateLoop()
    with attach_over(controlled(EVERYTHING), "run-1", 1, loop.check) as run:
        loop.run(run)
    assert weights_sha256(loop.model) == weights_sha256(alone.model)
