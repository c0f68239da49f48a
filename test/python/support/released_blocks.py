"""Networks whose blocks get their gradients by every way and by none, and a loop that releases one after another."""

from __future__ import annotations

from collections.abc import Callable

import torch
from attached_script import controlled
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from thawline.attached.arguments import Probe, check_arguments
from thawline.attached.attach import attach_over
from thawline.errors import UserError
from thawline.probes import ClassificationObjective
from thawline.wire.protocol import Failed, Log

BLOCKS = [("l3", r"^l3\."), ("l2", r"^l2\."), ("l1", r"^l1\.")]
SCHEDULE = {1: ["head"], 3: ["head", "l3"], 7: ["head", "l3", "l2"], 11: ["head", "l3", "l2", "l1"]}


class Network(nn.Module):
    """Inputs [n, 8] -> logits [n, 3] through three blocks, by whatever way."""

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.fc = nn.Linear(16, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs
        for layer in (self.l1, self.l2, self.l3):
            hidden = self.block(layer, hidden)
        return self.fc(hidden)

    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return torch.tanh(layer(hidden))


class Reentrant(Network):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        if layer is self.l1:
            return super().block(layer, hidden)
        return checkpoint(lambda h: torch.tanh(layer(h)), hidden, use_reentrant=True)


class BackboneWithoutGradient(Network):
    def forward(self, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            hidden = self._features(inputs)
        return self.fc(hidden)

    def _features(self, inputs: Tensor) -> Tensor:
        for layer in (self.l1, self.l2, self.l3):
            inputs = torch.tanh(layer(inputs))
        return inputs


class Detached(Network):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return super().block(layer, hidden).detach() if layer is self.l3 else super().block(layer, hidden)


class WithoutBias(Network):
    """A parameter that the loss never reaches."""

    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return torch.tanh(functional.linear(hidden, layer.weight)) if layer is self.l3 else super().block(layer, hidden)


class NonReentrant(Network):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return checkpoint(lambda h: torch.tanh(layer(h)), hidden, use_reentrant=False)


class Dead(Network):
    """A gradient that is exactly zero is one."""

    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return torch.relu(layer(hidden) - 1e6) if layer is self.l3 else super().block(layer, hidden)


Optimizer = Callable[[nn.Module], torch.optim.Optimizer]


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def train(
    model: nn.Module,
    build: Optimizer = sgd,
    *,
    zero_after: bool = False,
    skip: int = 0,
    has_probe: bool = False,
    meddle: Callable[[int, torch.optim.Optimizer], None] = lambda update, optimizer: None,
) -> list[str]:
    """14 updates of a loop; what the controller was warned of. The optimizer's first `skip` steps are left out.

    `meddle` is called before the step of each update. Afterwards the optimizer is as it was found.
    """
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(32, 8, generator=generator)
    labels = inputs[:, :3].argmax(1)
    optimizer, channel = build(model), controlled(SCHEDULE)
    hooks = [dict(optimizer._optimizer_step_pre_hooks), dict(optimizer._optimizer_step_post_hooks)]

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        return loss

    def check():
        probe = Probe([(inputs, labels)], ClassificationObjective()) if has_probe else None
        return check_arguments(
            model, optimizer, blocks=BLOCKS, head=r"^fc\.", probe=probe, num_updates=14, resumed_from=0
        )

    try:
        with attach_over(channel, "run-1", 1, check) as run:
            for update in range(1, 15):
                run.before_update()
                if isinstance(optimizer, torch.optim.LBFGS):
                    loss = optimizer.step(closure)
                else:
                    loss = closure()
                    meddle(update, optimizer)
                    if update > skip:
                        optimizer.step()
                if zero_after:
                    optimizer.zero_grad()
                run.after_update(loss)
    except UserError:
        failed = channel.sent[-1]
        assert isinstance(failed, Failed)
        assert failed.fault == "user"
        assert failed.code in ("block_without_gradient", "block_without_movement")
        raise
    finally:
        assert hooks == [optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks]
    return [body.text for body in channel.sent_of(Log) if body.level == "warning"]
