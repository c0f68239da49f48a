"""What a session has to know of the training that it steers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from thawline.protocol import Block, Order, Ready, Resumed

if TYPE_CHECKING:
    from thawline.blocks import BlockMap
    from thawline.checkpoint import SavedCheckpoint


class Interrupted(Exception):
    """A recall ended a probe or an evaluation between two batches."""


@dataclass(frozen=True)
class SplitScore:
    """Accuracy (or another score) of one evaluation split; `regenerated` marks data that are not the official files.

    `from_jpeg`: the images it was made from were JPEG files. `left_out`: why an out-of-distribution split does not
    count in the mean over these; one that could not be made has no values.
    """

    split: str
    values: dict[str, float]
    num_examples: int
    regenerated: bool
    from_jpeg: bool = False
    left_out: str | None = None


@dataclass(frozen=True)
class Abilities:
    """What a training can do besides training; None where it cannot, and then it is never ordered."""

    save: Callable[[int], SavedCheckpoint] | None = None
    evaluate: Callable[[Callable[[], bool]], Iterator[SplitScore]] | None = None

    @property
    def orders(self) -> list[Order]:
        orders: list[Order] = []
        if self.save is not None:
            orders.append("checkpoint")
        if self.evaluate is not None:
            orders.append("evaluate")
        return orders


@dataclass(frozen=True)
class Facts:
    """What the controller must know of a training before it grants anything."""

    num_updates: int | None
    updates_per_epoch: int | None
    device: str
    threads: int
    seed: int
    resumed: Resumed | UnsetType = UNSET


def describe_training(
    block_map: BlockMap, facts: Facts, abilities: Abilities, learning_rates: list[float], step: int
) -> Ready:
    """The `ready` of a training that stands after `step` updates, before any mask or factor is applied."""
    return Ready(
        blocks=[Block(block.name, block.num_params) for block in block_map.blocks],
        head=Block(block_map.head.name, block_map.head.num_params),
        num_updates=facts.num_updates,
        updates_per_epoch=facts.updates_per_epoch,
        learning_rates=learning_rates,
        device=facts.device,
        threads=facts.threads,
        seed=facts.seed,
        resumed_from=step,
        can=abilities.orders,
        resumed=facts.resumed,
    )
