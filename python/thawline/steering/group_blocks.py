"""An optimizer's groups by block: what it takes for one block to have a learning rate of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from thawline.steering.blocks import BlockMap


def split_by_block(groups: Iterable[Mapping[str, Any]], model: nn.Module, block_map: BlockMap) -> list[dict[str, Any]]:
    """The same groups, each cut where one block ends and another begins, so that none holds parameters of two.

    Options are kept, and so is the order of all parameters: what clips them together adds up their norms in that order.
    What an optimizer makes of a parameter depends on the options of its group and not on the others in it, so that the
    updates are the same bits as before.
    """
    block_of = blocks_by_parameter(model, block_map)
    return [
        {**group, "params": list(run)}
        for group in groups
        for _, run in itertools.groupby(group["params"], key=lambda parameter: block_of.get(id(parameter)))
    ]


def find_mixed_group(
    groups: Sequence[Mapping[str, Any]], model: nn.Module, block_map: BlockMap
) -> tuple[int, list[str]] | None:
    """The first group with parameters of more than one block, or of one and the head: its place and their names."""
    block_of = blocks_by_parameter(model, block_map)
    released = {block.name for block in block_map.blocks} - {*block_map.trainable_from_start}
    for place, group in enumerate(groups):
        # What is in no block never trains.
        names = {block_of[id(parameter)] for parameter in group["params"] if id(parameter) in block_of}
        if len(names) > 1 and names & released:
            in_order = [block_map.head.name, *(block.name for block in block_map.blocks)]
            return place, [name for name in in_order if name in names]
    return None


def blocks_by_parameter(model: nn.Module, block_map: BlockMap) -> dict[int, str]:
    """The name of the block of each parameter, the head's included, by the parameter's `id`."""
    parameters = dict(model.named_parameters())
    blocks = (block_map.head, *block_map.blocks)
    return {id(parameters[name]): block.name for block in blocks for name in block.parameter_names}
