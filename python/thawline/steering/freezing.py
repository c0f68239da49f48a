"""Which parameters train: applied, and asserted, because libraries flip `requires_grad` behind one's back.

The optimizer holds all parameters in fixed groups from the first update on. A frozen parameter has no gradient
(None, not zero), and an optimizer leaves such a parameter and its state alone: no decay, no momentum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from thawline.steering.blocks import BlockMap


class Mask:
    """Which parameters train, kept at hand: to look whether it still holds costs microseconds, so every update may.

    PEFT turns all of an adapter trainable in `set_adapter` and on leaving `disable_adapter`, whoever calls them.
    """

    def __init__(self, model: nn.Module, trainable: Collection[str]) -> None:
        self._flags = [(name, parameter, name in trainable) for name, parameter in model.named_parameters()]

    def restore(self) -> None:
        """Puts the flags back; what is frozen loses its gradient."""
        for _, parameter, trains in self._flags:
            if parameter.requires_grad != trains:
                parameter.requires_grad_(trains)
            if not trains and parameter.grad is not None:
                parameter.grad = None

    def find_frozen(self) -> str | None:
        """A parameter that should train, but was frozen before it had a gradient; None if there is none."""
        for name, parameter, trains in self._flags:
            if trains and not parameter.requires_grad and parameter.grad is None:
                return name
        return None


def apply_trainable(model: nn.Module, block_map: BlockMap, names: Iterable[str]) -> Mask:
    """Makes exactly the parameters of the named blocks trainable; what is frozen loses its gradient."""
    names = list(names)
    mask = Mask(model, parameters_of(block_map, names))
    mask.restore()
    assert_trainable(model, block_map, names)
    return mask


def assert_trainable(model: nn.Module, block_map: BlockMap, names: Iterable[str]) -> None:
    """Raises AssertionError naming a parameter whose `requires_grad` is not what the blocks `names` say."""
    trainable = parameters_of(block_map, names)
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (name in trainable), f"{name} has requires_grad {parameter.requires_grad}"
        assert parameter.requires_grad or parameter.grad is None, f"{name} is frozen and has a gradient"


def parameters_of(block_map: BlockMap, names: Iterable[str]) -> frozenset[str]:
    """Full names of the parameters in the named blocks (the head's name included).

    Raises KeyError for a name that is no block.
    """
    by_name = {block.name: block.parameter_names for block in (block_map.head, *block_map.blocks)}
    return frozenset(parameter for name in names for parameter in by_name[name])


def trainable_sha256(model: nn.Module) -> str:
    """SHA-256, in hex, of the sorted names of the trainable parameters, one a line."""
    names = sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def count_trainable(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
