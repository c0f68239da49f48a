"""A user's loop with PEFT's adapters, whose calls set `requires_grad` as they like: the controller's mask holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peft
import pytest
import torch
from adapted_network import BLOCKS, HEAD, SCHEDULE, build_adapted_network, draw_points, first_moves, parameters_of
from example_config import attached_config
from granting_channel import GrantingChannel
from torch import Tensor, nn

from thawline.attached.arguments import Probe, check_arguments
from thawline.attached.attach import attach_over
from thawline.errors import UserError
from thawline.probes import ClassificationObjective
from thawline.wire.protocol import Boundary, Failed

UPDATES = 6


class Objective(ClassificationObjective):
    def logits(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> list[Tensor]:
        return [model(batch[0])["logits"]]


class Loop:
    """Six updates with clipping; `between` and `within` are what the user's code does with the model besides."""

    def __init__(
        self,
        *,
        between: Callable[[peft.PeftModel], None] = lambda model: None,
        within: Callable[[peft.PeftModel], None] = lambda model: None,
        clip: bool = True,
    ) -> None:
        self.model = build_adapted_network()
        self.history = [parameters_of(self.model)]
        self.channel = GrantingChannel(SCHEDULE, config=attached_config(), metrics=["fisher_trace"], probe_every=2)
        self._between, self._within, self._clip = between, within, clip

    def run(self) -> None:
        model = self.model
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
        probe = Probe([draw_points(0)], Objective())

        def check() -> Any:
            return check_arguments(
                model, optimizer, blocks=BLOCKS, head=HEAD, probe=probe, num_updates=UPDATES, resumed_from=0
            )

        with attach_over(self.channel, "run-1", 1, check) as run:
            for update in range(1, UPDATES + 1):
                self._between(model)
                run.before_update()
                self._within(model)
                loss = model(*draw_points(update))["loss"]
                optimizer.zero_grad()
                loss.backward()
                if self._clip:
                    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
                optimizer.step()
                run.after_update(loss)
                self.history.append(parameters_of(model))

    def signals(self) -> list[Any]:
        return [metric.value for body in self.channel.sent_of(Boundary) for metric in body.metrics]


def turn_all_on(model: peft.PeftModel) -> None:
    model.set_adapter("default")
    assert all(parameter.requires_grad for name, parameter in model.named_parameters() if "lora_" in name)


def leave_adapter(model: peft.PeftModel) -> None:
    """As for the outputs of the encoder as it was; on leaving, PEFT turns all of the adapter on."""
    with model.disable_adapter(), torch.no_grad():
        model(draw_points(0)[0])
    assert all(parameter.requires_grad for name, parameter in model.named_parameters() if "lora_" in name)


@pytest.mark.parametrize("call", [turn_all_on, leave_adapter])
def test_a_call_of_peft_between_updates_changes_no_bit_and_no_signal(call: Callable[[peft.PeftModel], None]) -> None:
    undisturbed, disturbed = Loop(), Loop(between=call)
    undisturbed.run()
    disturbed.run()
    for one, other in zip(undisturbed.history, disturbed.history, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert disturbed.signals() == undisturbed.signals()


@pytest.mark.parametrize("call", [turn_all_on, leave_adapter])
def test_a_call_of_peft_within_an_update_moves_nothing_that_is_frozen(call: Callable[[peft.PeftModel], None]) -> None:
    """Clipping would see gradients of the frozen, and scale the others by them."""
    undisturbed, disturbed = Loop(clip=False), Loop(within=call, clip=False)
    undisturbed.run()
    disturbed.run()
    for one, other in zip(undisturbed.history, disturbed.history, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    moves = first_moves(disturbed.history)
    assert {update for name, update in moves.items() if ".head." in name} == {1}
    assert {update for name, update in moves.items() if ".layers.1." in name} == {3}
    assert {update for name, update in moves.items() if ".layers.0." in name} == {5}


def test_an_adapter_that_the_script_has_left_is_named() -> None:
    """Its parameters would get no gradient, and nobody would notice."""

    def freeze(model: peft.PeftModel) -> None:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and "lora_" not in name)

    loop = Loop(within=freeze)
    with pytest.raises(UserError, match=r"update 3: \S*layers\.1\.lora_A\.default\.weight has no gradient") as caught:
        loop.run()
    assert "requires_grad" in caught.value.hint
    failed = loop.channel.sent[-1]
    assert isinstance(failed, Failed)
    assert (failed.fault, failed.code, failed.step) == ("user", "frozen_by_script", 2)
