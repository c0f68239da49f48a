"""A block that was released trains, or the run says that it does not."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from released_blocks import (
    SCHEDULE,
    BackboneWithoutGradient,
    Dead,
    Detached,
    Network,
    NonReentrant,
    Optimizer,
    Reentrant,
    WithoutBias,
    sgd,
    train,
)
from torch import nn
from torch.nn import functional

from thawline.errors import UserError


@pytest.mark.parametrize("kind", [Reentrant, BackboneWithoutGradient, Detached])
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_a_released_block_that_gets_no_gradient_ends_the_run(kind: type[Network]) -> None:
    torch.manual_seed(0)
    with pytest.raises(UserError, match=r"^the block l3 was released before update 3, .* does not train"):
        train(kind())


@pytest.mark.parametrize("kind", [Network, NonReentrant, Dead])
@pytest.mark.parametrize("zero_after", [False, True])
def test_blocks_that_train_are_not_mentioned(kind: type[Network], zero_after: bool) -> None:
    torch.manual_seed(0)
    assert train(kind(), zero_after=zero_after) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda model: torch.optim.AdamW(model.parameters(), lr=1e-3),
        lambda model: torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True),
        lambda model: torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, foreach=True),
        lambda model: torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=2),
    ],
)
def test_however_the_optimizer_steps(build: Optimizer) -> None:
    torch.manual_seed(0)
    assert train(Network(), build) == []


def test_a_parameter_that_the_loss_does_not_reach_is_named_once() -> None:
    torch.manual_seed(0)
    (warning,) = train(WithoutBias())
    assert warning.startswith("of the block l3, released before update 3, l3.bias had no gradient in 3 updates")


def test_steps_that_a_scaler_skips_at_first_are_no_reason_to_warn() -> None:
    torch.manual_seed(0)
    assert train(Network(), skip=9) == []


def restoring(model: Network, *names: str) -> Optimizer:
    """SGD whose steps leave some parameters as they were, as a tool does that puts weights back after each step."""

    def build(_: nn.Module) -> torch.optim.Optimizer:
        optimizer = sgd(model)
        kept = {name: model.get_parameter(name).detach().clone() for name in names}

        def put_back(*_: object) -> None:
            with torch.no_grad():
                for name, weights in kept.items():
                    model.get_parameter(name).copy_(weights)

        optimizer.register_step_post_hook(put_back)
        return optimizer

    return build


def test_a_block_that_has_gradients_and_does_not_move_ends_the_run() -> None:
    torch.manual_seed(0)
    model = Network()
    with pytest.raises(UserError, match=r"^the block l2 was released before update 7, and has gradients, .* update 9"):
        train(model, restoring(model, "l2.weight", "l2.bias"))


def test_a_parameter_that_does_not_move_where_the_rest_of_its_block_does_is_named_once() -> None:
    torch.manual_seed(0)
    model = Network()
    (warning,) = train(model, restoring(model, "l2.bias"))
    assert warning.startswith("of the block l2, released before update 7, l2.bias has gradients, but 3 steps")


def test_an_optimizer_that_no_longer_holds_a_block_is_said_to() -> None:
    torch.manual_seed(0)
    model = Network()
    own = {id(parameter) for parameter in model.l3.parameters()}

    def meddle(update: int, optimizer: torch.optim.Optimizer) -> None:
        (group,) = optimizer.param_groups
        group["params"] = [
            parameter.detach().clone().requires_grad_() if id(parameter) in own else parameter
            for parameter in group["params"]
        ]

    with pytest.raises(UserError, match=r"^the block l3 was released before update 3, and has gradients") as caught:
        train(model, meddle=meddle)
    assert "in no group of the optimizer any more" in caught.value.hint


def test_a_parameter_that_was_replaced_is_given_as_the_cause() -> None:
    torch.manual_seed(0)
    model = Network()

    def meddle(update: int, optimizer: torch.optim.Optimizer) -> None:
        if update == 3:
            model.l3 = nn.Linear(16, 16)
            optimizer.zero_grad()

    with pytest.raises(UserError, match=r"^the block l3 .* nothing of it has had a gradient") as caught:
        train(model, meddle=meddle)
    assert "replace no parameter after `attach`" in caught.value.hint


def at_rate_zero(update: int, optimizer: torch.optim.Optimizer) -> None:
    optimizer.param_groups[0]["lr"] = 0.0 if update < 12 else 0.1


def overflowing(update: int, optimizer: torch.optim.Optimizer) -> None:
    """What a GradScaler tells an optimizer whose step looks at it by itself."""
    optimizer.found_inf = torch.tensor(1.0 if update < 12 else 0.0)
    optimizer.grad_scale = torch.tensor(1.0)


def with_gradients_of_zero(update: int, optimizer: torch.optim.Optimizer) -> None:
    if update < 12:
        for parameter in optimizer.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter.grad.zero_()


def too_slow_for_its_numbers(update: int, optimizer: torch.optim.Optimizer) -> None:
    optimizer.param_groups[0]["lr"] = 1e-12


@pytest.mark.parametrize("meddle", [at_rate_zero, with_gradients_of_zero, too_slow_for_its_numbers])
def test_what_stands_still_for_a_reason_is_not_mentioned(
    meddle: Callable[[int, torch.optim.Optimizer], None],
) -> None:
    torch.manual_seed(0)
    assert train(Network(), meddle=meddle) == []


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_a_step_that_a_scaler_makes_nothing_of_is_no_step(kind: type[torch.optim.Optimizer]) -> None:
    torch.manual_seed(0)
    assert train(Network(), lambda model: kind(model.parameters(), lr=0.01, fused=True), meddle=overflowing) == []


@pytest.mark.parametrize(("kind", "block"), [(BackboneWithoutGradient, "l3"), (Detached, "l3")])
def test_with_a_probe_a_block_that_the_loss_does_not_reach_is_refused_at_once(kind: type[Network], block: str) -> None:
    torch.manual_seed(0)
    model = kind()
    before = model.fc.weight.detach().clone()
    with pytest.raises(UserError, match=rf"^attach: the loss of the probe reaches nothing of the block {block}"):
        train(model, has_probe=True)
    assert torch.equal(model.fc.weight, before)


@pytest.mark.parametrize("has_probe", [False, True])
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_a_reentrant_checkpoint_is_told_of_before_any_release(has_probe: bool) -> None:
    """By the probe before the first update, without one by the training's own first batch."""
    torch.manual_seed(0)
    told: list[tuple[int, str]] = []
    updates: list[int] = [0]

    def meddle(update: int, optimizer: torch.optim.Optimizer) -> None:
        updates.append(update)

    def note(message: Warning | str, *_: object, **__: object) -> None:
        told.append((updates[-1], str(message)))

    with warnings.catch_warnings():
        warnings.showwarning = note
        with pytest.raises(UserError, match=r"^the block l3 was released before update 3"):
            train(Reentrant(), has_probe=has_probe, meddle=meddle)
    found = [(update, text) for update, text in told if "only while what lies below trains" in text]
    assert [update for update, _ in found] == [0, 0] if has_probe else [1, 1]
    assert found[0][1].startswith("of the block l3, l3.weight and 1 more is reached only while")


def test_with_a_probe_a_parameter_that_the_loss_does_not_reach_is_named_once() -> None:
    torch.manual_seed(0)
    (warning,) = train(WithoutBias(), has_probe=True)
    assert warning == "of the block l3, l3.bias is not reached by the loss of the probe: it would not train"


@pytest.mark.parametrize("has_probe", [False, True])
@pytest.mark.parametrize("kind", [Network, NonReentrant])
def test_looking_ahead_changes_no_training(kind: type[Network], has_probe: bool) -> None:
    torch.manual_seed(0)
    model = kind()
    model.fc = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(16), nn.Linear(16, 3))
    alone = copy.deepcopy(model)
    blocks = dict(alone.named_children())
    inputs = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    optimizer = sgd(alone)
    torch.manual_seed(1)
    for update in range(1, 15):
        released = SCHEDULE[max(start for start in SCHEDULE if start <= update)]
        for name, module in blocks.items():
            module.requires_grad_(name == "fc" or name in released)
        optimizer.zero_grad()
        functional.cross_entropy(alone(inputs), inputs[:, :3].argmax(1)).backward()
        optimizer.step()
    torch.manual_seed(1)
    assert train(model, has_probe=has_probe) == []
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in alone.state_dict().items())
    assert len(model._forward_pre_hooks) == 0
