"""A loop whose updates are made by another optimizer than the one that `attach` was given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from tiny_training import build_network, sgd
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks

from thawline.attached.step_watch import StepWatch
from thawline.errors import UserError


class Sharpness(torch.optim.Optimizer):
    """In the manner of SAM: its step is made by an optimizer of its own, over the same parameters."""

    def __init__(self, parameters: Iterator[nn.Parameter]) -> None:
        held = list(parameters)
        super().__init__(held, {})
        self.base = torch.optim.SGD(held, lr=0.1)

    def step(self) -> None:
        self.base.step()


def watch(model: nn.Module, optimizer: torch.optim.Optimizer) -> StepWatch:
    steps = StepWatch(optimizer, model.head.parameters())
    steps.begin_update()
    return steps


@pytest.fixture
def model() -> Iterator[nn.Module]:
    before = len(_global_optimizer_pre_hooks)
    yield build_network()
    for hook in list(_global_optimizer_pre_hooks)[before:]:
        del _global_optimizer_pre_hooks[hook]


def test_another_optimizer_of_the_same_parameters_is_named(model: nn.Module) -> None:
    steps = watch(model, sgd(model))
    torch.optim.AdamW(model.head.parameters()).step()
    with pytest.raises(UserError, match=r"`optimizer` made no step in update 7, but another one \(AdamW\)") as caught:
        steps.check_update(7)
    assert "whose `step` the loop calls" in caught.value.hint
    steps.begin_update()
    steps.check_update(8)


def test_no_step_at_all_is_no_mistake(model: nn.Module) -> None:
    steps = watch(model, sgd(model))
    steps.check_update(1)


def test_an_optimizer_of_other_parameters_is_none_of_our_business(model: nn.Module) -> None:
    steps = watch(model, sgd(model))
    torch.optim.AdamW(model.conv1.parameters()).step()
    steps.check_update(1)


@pytest.mark.parametrize("attached", ["outer", "inner"])
def test_a_step_within_a_step_is_one(model: nn.Module, attached: str) -> None:
    optimizer = Sharpness(model.parameters())
    steps = watch(model, optimizer if attached == "outer" else optimizer.base)
    optimizer.step()
    steps.check_update(1)


def test_nothing_is_left_behind(model: nn.Module) -> None:
    before = len(_global_optimizer_pre_hooks)
    watch(model, sgd(model)).detach()
    assert len(_global_optimizer_pre_hooks) == before
