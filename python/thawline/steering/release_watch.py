"""Whether a block that was released trains: a mask says what may move, and not what a forward pass reaches."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thawline.errors import UserError
from thawline.steering.movement import Movement, StepObserver

if TYPE_CHECKING:
    import torch
    from torch import nn

    from thawline.steering.blocks import BlockMap

# A layer may be left out of an update now and then (experts, stochastic depth), but hardly of the first three.
UPDATES = 3
# Longer than this nobody waits for a warm-up to begin, or for a gradient that is exactly zero.
PATIENCE = 30


@dataclass
class _Release:
    """A block, the update before which it was released, and what has been seen of its parameters since."""

    block: str
    update: int
    parameters: Mapping[str, nn.Parameter]
    without_gradient: set[str]
    moved: set[str] = field(default_factory=set)
    stuck: Counter[str] = field(default_factory=Counter)
    is_reached: bool = False

    def take(self, movement: Movement) -> None:
        self.moved |= movement.moved & self.parameters.keys()
        self.stuck.update(movement.stuck & self.parameters.keys())

    @property
    def unmoved(self) -> list[str]:
        """Those of which each of some updates should have moved them, and none has."""
        return [name for name in self.parameters if name not in self.moved and self.stuck[name] >= UPDATES]

    @property
    def undecided(self) -> dict[str, nn.Parameter]:
        settled = {*self.moved, *self.unmoved}
        return {name: parameter for name, parameter in self.parameters.items() if name not in settled}


class ReleaseWatch:
    """Looks at gradients and movements of released blocks in their first updates; costs nothing afterwards.

    Parameters in `told` were named before: no second warning says that they have no gradient.
    """

    def __init__(
        self,
        model: nn.Module,
        block_map: BlockMap,
        optimizer: torch.optim.Optimizer,
        told: Collection[str] = (),
    ) -> None:
        self._told = frozenset(told)
        self._model = model
        self._optimizer = optimizer
        self._names = {block.name: block.parameter_names for block in (block_map.head, *block_map.blocks)}
        self._watched: list[_Release] = []
        self._steps = StepObserver(optimizer)

    @property
    def is_watching(self) -> bool:
        return bool(self._watched)

    def change(self, update: int, before: Collection[str], now: Collection[str]) -> None:
        """Before `update` the blocks that train become `now`; what is frozen again is not watched any more."""
        self._watched = [release for release in self._watched if release.block in now]
        named = dict(self._model.named_parameters())
        for block in now:
            if block not in before:
                own = {name: named[name] for name in self._names[block] if name in named}
                self._watched.append(_Release(block, update, own, set(own)))
        self._observe()

    def stop(self) -> None:
        """Leaves the optimizer as it was found."""
        self._watched = []
        self._observe()

    def look(self) -> None:
        """To be called where gradients may be there: as the optimizer's step begins, and after the update."""
        for release in self._watched:
            release.without_gradient -= {
                name for name in release.without_gradient if release.parameters[name].grad is not None
            }

    def judge(self, update: int) -> None:
        """After `update`: a warning names what has had no gradient, or has not moved, where the rest of its block has.

        Raises UserError `block_without_gradient` or `block_without_movement` for a block of which nothing has. On an
        accelerator the movements of an update are known an update or two later.
        """
        self.look()
        self._steps.end_update()
        self._take(update, wait=False)

    def settle(self, update: int) -> None:
        """At a boundary: as `judge`, with all that is still on its way."""
        self._take(update, wait=True)

    def _take(self, update: int, *, wait: bool) -> None:
        for movement in self._steps.movements(wait=wait):
            for release in self._watched:
                release.take(movement)
        for release in list(self._watched):
            age = update - release.update + 1
            if not release.is_reached and (not release.without_gradient or age >= UPDATES):
                release.is_reached = True
                self._judge_gradients(release, update)
            if release.is_reached and self._is_over(release, age):
                self._watched.remove(release)
                self._judge_movements(release, update)
        self._observe()

    def _is_over(self, release: _Release, age: int) -> bool:
        return release.undecided.keys() <= release.without_gradient or age >= PATIENCE

    def _observe(self) -> None:
        """A parameter is looked at until it has moved; where a step was expected of it in vain, again and again."""
        watched: dict[str, nn.Parameter] = {}
        for release in self._watched:
            watched |= release.undecided
        self._steps.watch(watched)

    def _judge_gradients(self, release: _Release, update: int) -> None:
        if not release.without_gradient:
            return
        if len(release.without_gradient) == len(release.parameters):
            replaced = self._replaced(release)
            raise UserError(
                "block_without_gradient",
                f"the block {release.block} was released before update {release.update}, but nothing of it has had a "
                f"gradient by update {update}: it does not train",
                f"the model has another {replaced} than when it was released: replace no parameter after `attach`"
                if replaced
                else "the loss must reach it while what lies below is frozen: give checkpoint `use_reentrant=False`, "
                "take `torch.no_grad` and `detach` away from frozen layers, and compile the model after the release or "
                "not at all",
            )
        new = release.without_gradient - self._told
        if new:
            warnings.warn(
                f"of the block {release.block}, released before update {release.update}, {_some(new)} had no gradient "
                f"in {UPDATES} updates: the loss does not depend on it",
                stacklevel=4,
            )

    def _judge_movements(self, release: _Release, update: int) -> None:
        unmoved = release.unmoved
        if not unmoved:
            return
        held = {id(parameter) for group in self._optimizer.param_groups for parameter in group["params"]}
        outside = [name for name in unmoved if id(release.parameters[name]) not in held]
        cause = (
            f"{_some(outside)} is in no group of the optimizer any more"
            if outside
            else "what makes the update does not reach it, or something puts its weights back afterwards"
        )
        if not release.moved and release.undecided.keys() <= release.without_gradient:
            raise UserError(
                "block_without_movement",
                f"the block {release.block} was released before update {release.update}, and has gradients, but "
                f"nothing of it has moved by update {update}: it does not train",
                f"{cause}; make the optimizer over the model's own parameters, not over copies of them, leave its "
                "groups as they are, and let no hook restore weights after a step",
            )
        warnings.warn(
            f"of the block {release.block}, released before update {release.update}, {_some(unmoved)} has gradients, "
            f"but {UPDATES} steps of the optimizer have not moved it: {cause}",
            stacklevel=4,
        )

    def _replaced(self, release: _Release) -> str | None:
        now = dict(self._model.named_parameters())
        return next((name for name, parameter in release.parameters.items() if now.get(name) is not parameter), None)


def _some(names: Collection[str]) -> str:
    first, *others = sorted(names)
    return first if not others else f"{first} and {len(others)} more"
