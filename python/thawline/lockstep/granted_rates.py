"""The learning rates that a grant asks for, update by update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from thawline.steering.rates import NO_RAMPS, Ramps

if TYPE_CHECKING:
    from thawline.lockstep.abilities import SteeredModel
    from thawline.wire.protocol import Grant
    from thawline.wire.warming_up import WarmingUp


class GrantedRates:
    """The training's own rates under a grant: times its factor, and those of released blocks times i / num_updates.

    A grant names the blocks that warm up in its first update, and is counted on from there: none ends their warm-up.
    """

    def __init__(self, steered: SteeredModel) -> None:
        self._rates = steered.rates
        parameters = dict(steered.model.named_parameters())
        self._ids = {
            block.name: [id(parameters[name]) for name in block.parameter_names] for block in steered.block_map.blocks
        }

    def at(self, update: int, grant: Grant | None) -> list[float]:
        """The rate of each group in `update`; without a grant the training's own."""
        if grant is None:
            return self._rates.at(update, 1.0)
        return self._rates.at(update, grant.learning_rate_factor, self._ramps(update, grant))

    def apply(self, update: int, grant: Grant) -> None:
        """Makes `update` be made with the rates that `at` gives."""
        self._rates.apply(update, grant.learning_rate_factor, self._ramps(update, grant))

    def _ramps(self, update: int, grant: Grant) -> Ramps:
        rising = warming_up_in(update, grant)
        if not rising:
            return NO_RAMPS
        return {parameter: one.ramp(update) for one in rising for block in one.blocks for parameter in self._ids[block]}


def warming_up_in(update: int, grant: Grant) -> Sequence[WarmingUp]:
    """The warm-ups of `grant` in which rates are below their full value in `update`, which it permits."""
    return [one for one in grant.warming_up or () if one.ramp(update) < 1.0]
