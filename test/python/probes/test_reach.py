"""Which parameters a loss reaches is found out before a run, and leaves no trace."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from thawline.errors import UserError
from thawline.probes import ClassificationObjective
from thawline.probes.reach import find_reach, loss_of_probe, require_reach

BATCH = (torch.randn(40, 8, generator=torch.Generator().manual_seed(1)), torch.arange(40) % 3)


class Tower(nn.Module):
    """Inputs [n, 8] -> logits [n, 3] through three blocks, by whatever way."""

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.norm = nn.BatchNorm1d(16)
        self.fc = nn.Linear(16, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs
        for layer in (self.l1, self.l2, self.l3):
            hidden = self.block(layer, hidden)
        return self.fc(functional.dropout(self.norm(hidden), 0.5, self.training))

    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return torch.tanh(layer(hidden))


class WithoutGradient(Tower):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        with torch.no_grad():
            return super().block(layer, hidden)


class Detached(Tower):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return super().block(layer, hidden).detach() if layer is self.l2 else super().block(layer, hidden)


class Reentrant(Tower):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        if layer is self.l1 or not self.training:
            return super().block(layer, hidden)
        return checkpoint(lambda h: torch.tanh(layer(h)), hidden, use_reentrant=True)


class WithoutBias(Tower):
    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        return torch.tanh(functional.linear(hidden, layer.weight)) if layer is self.l3 else super().block(layer, hidden)


class StochasticDepth(Tower):
    """Leaves a block out more often than not."""

    def block(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        if self.training and layer is not self.l1 and torch.rand(()) < 0.9:
            return hidden
        return super().block(layer, hidden)


class OnlyEvaluates(Tower):
    """Gives something else in training mode, which the objective cannot read."""

    def forward(self, inputs: Tensor) -> Tensor:
        return {"logits": super().forward(inputs)} if self.training else super().forward(inputs)


class Writing(Tower):
    """Writes to weights in training mode, by a way that counts no version."""

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.l1.weight.data.clamp_(-0.01, 0.01)
        return super().forward(inputs)


class Following(Tower):
    """A frozen encoder follows the trained one at each forward pass in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = nn.Linear(8, 16).requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            for slow, fast in zip(self.slow.parameters(), self.l1.parameters(), strict=True):
                slow.data = slow.data * 0.9 + fast.data * 0.1
                slow.mul_(0.5)
        return super().forward(inputs)


def look(model: Tower) -> list[str]:
    """What was warned of."""
    blocks = {name: [f"{name}.weight", f"{name}.bias"] for name in ("l3", "l2", "l1")}
    blocks["l3"] += ["norm.weight", "norm.bias"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss = loss_of_probe(model, ClassificationObjective("fc"), BATCH)
        require_reach(find_reach(model, loss, blocks, ["fc.weight", "fc.bias"]))
    return [str(warning.message) for warning in caught]


def built(kind: Callable[[], Tower]) -> Tower:
    torch.manual_seed(0)
    return kind()


@pytest.mark.parametrize("kind", [Tower, OnlyEvaluates, Writing, Following])
def test_blocks_that_the_loss_reaches_are_not_mentioned(kind: type[Tower]) -> None:
    assert look(built(kind)) == []


def test_a_layer_that_is_left_out_at_random_is_reached() -> None:
    """Alone it may seem not to be, by chance; but the run is not refused."""
    for seed in range(20):
        torch.manual_seed(seed)
        look(StochasticDepth())


@pytest.mark.parametrize(("kind", "block"), [(WithoutGradient, "l2"), (Detached, "l2")])
def test_a_block_that_it_does_not_reach_is_refused(kind: type[Tower], block: str) -> None:
    with pytest.raises(
        UserError, match=rf"^attach: the loss of the probe reaches nothing of the block {block}"
    ) as caught:
        look(built(kind))
    assert caught.value.code == "block_without_gradient"


def test_a_block_that_it_reaches_only_while_others_train_is_named() -> None:
    first, second = look(built(Reentrant))
    assert first.startswith("of the block l3, l3.weight and 1 more is reached only while what lies below trains too")
    assert second.startswith("of the block l2, l2.weight and 1 more is reached only")


def test_a_parameter_that_it_does_not_reach_is_named() -> None:
    assert look(built(WithoutBias)) == [
        "of the block l3, l3.bias is not reached by the loss of the probe: it would not train"
    ]


@pytest.mark.parametrize("kind", [Tower, Reentrant, Writing, Following, StochasticDepth])
def test_it_leaves_no_trace(kind: type[Tower]) -> None:
    model = built(kind)
    model.l2.eval()
    model.l1.weight.requires_grad_(False)
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    model.fc.weight.grad = gradient = torch.ones(3, 16)
    calls: list[Tensor] = []
    model.fc.bias.register_hook(calls.append)
    model.fc.bias.register_post_accumulate_grad_hook(calls.append)
    random.seed(3)
    np.random.seed(3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    generator, python, numbers = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()

    look(model)

    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert random.getstate() == python
    assert np.array_equal(np.random.get_state()[1], numbers)
    assert [name for name, module in model.named_modules() if not module.training] == ["l2"]
    assert [name for name, parameter in model.named_parameters() if not parameter.requires_grad] == frozen
    assert model.fc.weight.grad is gradient
    assert [name for name, parameter in model.named_parameters() if parameter.grad is not None] == ["fc.weight"]
    assert calls == []
    model(BATCH[0]).sum().backward()
    assert len(calls) == 2
