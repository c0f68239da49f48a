"""A user's own script with a loop, and the controller that stands in for a real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from example_config import attached_config
from granting_channel import GrantingChannel
from tiny_training import BLOCKS, HEAD, build_network, draw_batch, make_update, sgd

from thawline.attached.arguments import Probe, Training, check_arguments
from thawline.attached.attach import AttachedRun
from thawline.probes import ClassificationObjective

PROBE = Probe([draw_batch(0), draw_batch(-1)], ClassificationObjective(head_name="head"))
SCHEDULE = {1: ["head"], 3: ["head", "top"], 5: ["head", "top", "stem"]}
EVERYTHING = {1: ["head", "top", "stem"]}


class Script:
    """A user's script: its model, optimizer and scheduler, and the loop that it puts into the `with` block."""

    def __init__(self, *, num_updates: int | None = 6, probe: Probe | None = None, resumed_from: int = 0) -> None:
        self.model = build_network()
        self.optimizer = sgd(self.model)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.8)
        self.announced = {"num_updates": num_updates, "probe": probe, "resumed_from": resumed_from}
        self.loss_of: Callable[[int, torch.Tensor], torch.Tensor] = lambda update, loss: loss

    def check(self) -> Training:
        return check_arguments(self.model, self.optimizer, blocks=BLOCKS, head=HEAD, **self.announced)

    def loop(self, run: AttachedRun | None, updates: range) -> None:
        for update in updates:
            if run is not None:
                run.before_update()
            loss = make_update(self.model, self.optimizer, update)
            self.scheduler.step()
            if run is not None:
                run.after_update(self.loss_of(update, loss))


def controlled(schedule: dict[int, list[str]], **channel_arguments: Any) -> GrantingChannel:
    return GrantingChannel(schedule, config=attached_config(seed=5), **channel_arguments)
