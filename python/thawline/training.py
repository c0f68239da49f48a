"""What a session has to know of the training that it steers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thawline.protocol import Order

if TYPE_CHECKING:
    from thawline.checkpoint import SavedCheckpoint


class Interrupted(Exception):
    """A recall ended a probe or an evaluation between two batches."""


@dataclass(frozen=True)
class SplitScore:
    """Accuracy (or another score) of one evaluation split; `regenerated` marks data that are not the official files."""

    split: str
    values: dict[str, float]
    num_examples: int
    regenerated: bool


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
