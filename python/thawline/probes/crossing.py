"""One forward pass of a model that is cut between two of its stages: recorded, and begun again at the cut.

The model's own forward always runs, with all that happens between and after the stages, and with whatever else the
stages are called with (attention masks, say). Only two things are replaced, for one call: the `forward` of each stage
below the cut, by one that returns a placeholder of the right shape, and the first argument of the stage at the cut, by
the recorded tensor. So no model has to be rewritten, and hooks above the cut see what they would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

Forward = Callable[..., Any]


@dataclass(frozen=True)
class Cut:
    """The stages below the cut in their order, the stage at it, and every tensor that what enters it may depend on."""

    below: tuple[nn.Module, ...]
    at: nn.Module
    tensors: list[Tensor]


@dataclass
class Crossing:
    """What the stage at the cut was called with first, and what stands for the outputs of the stages below it."""

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[tuple[nn.Module, Any]] = field(default_factory=list)

    def is_complete(self, cut: Cut) -> bool:
        """Whether every stage ran once, those below the cut in their order."""
        return len(self.inputs) == 1 and [stage for stage, _ in self.outputs] == list(cut.below)


class Placeholders:
    """Stand for tensors that nobody is meant to read: NaN, so that whoever does shows it at once.

    One tensor serves for all of its shape; it does not matter what in-place operations leave in it.
    """

    def __init__(self) -> None:
        self._tensors: dict[tuple[torch.Size, torch.dtype], Tensor] = {}

    def stand_for(self, output: Any) -> Any:
        """The same structure of tuples and lists; what is neither of these nor a floating tensor stays as it is."""
        if type(output) in (tuple, list):
            return type(output)([self.stand_for(part) for part in output])
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return output
        key = (output.shape, output.dtype)
        if key not in self._tensors:
            self._tensors[key] = torch.full_like(output, torch.nan, requires_grad=False)
        return self._tensors[key]


@contextmanager
def recording(cut: Cut, placeholders: Placeholders) -> Iterator[Crossing]:
    """Fills the crossing from the forward pass made within it."""
    crossing = Crossing()

    def record_output(stage: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        crossing.outputs.append((stage, placeholders.stand_for(output)))

    def record_input(stage: nn.Module, args: tuple[Any, ...]) -> None:
        # Copies are out of reach of whoever works in place.
        crossing.inputs.extend(value.detach().clone() for value in args[:1] if isinstance(value, Tensor))

    handles = [stage.register_forward_hook(record_output) for stage in cut.below]
    handles.append(cut.at.register_forward_pre_hook(record_input))
    try:
        yield crossing
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def beginning_at(cut: Cut, crossing: Crossing) -> Iterator[None]:
    """Within it, the stages below the cut do nothing, and the stage at it reads the recorded tensor."""

    def replace_input(stage: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (crossing.inputs[0].clone(), *args[1:])

    def give(output: Any, *args: Any, **kwargs: Any) -> Any:
        return output

    handle = cut.at.register_forward_pre_hook(replace_input)
    try:
        with ExitStack() as stack:
            for stage, output in crossing.outputs:
                stack.enter_context(swapped_forward(stage, partial(give, output)))
            yield
    finally:
        handle.remove()


@contextmanager
def swapped_forward(module: nn.Module, forward: Forward) -> Iterator[None]:
    """Within it `module.forward` is `forward`; on leaving it is the class's again, or the instance's from before."""
    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before
