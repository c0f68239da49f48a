"""What a session has to know of the training that it steers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from thawline.interruption import ShouldStop
from thawline.wire.protocol import Block, Head, Order, Ready, Resumed

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from thawline.lockstep.start_weights import StartWeights
    from thawline.steering.batch_norm import BatchNormPolicy
    from thawline.steering.blocks import BlockMap
    from thawline.steering.rates import LearningRates
    from thawline.storage.checkpoint import SavedCheckpoint


@dataclass(frozen=True)
class SplitScore:
    """Accuracy, or other scores, of one evaluation split; `regenerated` marks data that are not the official files.

    `values` are shares of 1, also where a scorer's own convention is percent; the first one is what the split is
    compared by (`accuracy`, or `f1` before `exact_match`).
    `from_jpeg`: the images it was made from were JPEG files. `left_out`: why an out-of-distribution split does not
    count in the mean over these; one that could not be made has no values. `made_with`: what it was regenerated with,
    besides the clean data. `loss`: the mean loss of the split, and its standard error over examples. `warning`: what
    the scores show to be wrong, a sentence.
    """

    split: str
    values: dict[str, float]
    num_examples: int
    regenerated: bool
    from_jpeg: bool = False
    left_out: str | None = None
    made_with: str | None = None
    loss: tuple[float, float] | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Abilities:
    """What a training can do besides training; None where it cannot, and then it is never ordered.

    `save` and `keep_best` are given the step and write all of it or nothing; `keep_best` stores the weights as they are
    now in a folder of their own, such as `best/step-00000500` in the run folder, beside what it stored before: the
    controller removes that once its journal has the new one. `restore_best` is given the absolute path that `keep_best`
    returned, in this attempt or an earlier one, and the SHA-256 of the manifest there, and verifies it. `validate`
    gives the scores on the development set, split `development`; the first of its values decides what is best.
    """

    save: Callable[[int], SavedCheckpoint] | None = None
    evaluate: Callable[[ShouldStop], Iterator[SplitScore]] | None = None
    validate: Callable[[ShouldStop], SplitScore] | None = None
    keep_best: Callable[[int], SavedCheckpoint] | None = None
    restore_best: Callable[[Path, str], None] | None = None

    @property
    def orders(self) -> list[Order]:
        """The orders that a controller may give, by the abilities that are there."""
        abilities: dict[Order, object] = {
            "checkpoint": self.save,
            "evaluate": self.evaluate,
            "validate": self.validate,
            "keep_best": self.keep_best,
            "restore_best": self.restore_best,
        }
        return [order for order, ability in abilities.items() if ability is not None]


@dataclass(frozen=True)
class SteeredModel:
    """What a grant acts on: the model in its blocks, the learning rates, and what frozen BatchNorm layers do.

    `unreached` names parameters of which it was said already that the loss does not reach them; `start` has the weights
    that the run began with, None where nobody knows them any more.
    """

    model: nn.Module
    block_map: BlockMap
    rates: LearningRates
    batch_norm: BatchNormPolicy | None = None
    unreached: frozenset[str] = frozenset()
    start: StartWeights | None = None


@dataclass(frozen=True)
class Facts:
    """What the controller must know of a training before it grants anything.

    `num_updates` and `updates_per_epoch` are None where only the training knows its end; `resumed_from` is the number
    of updates completed when the attempt begins, `resumed` what a script's own checkpoint says of the run it is from.
    `micro_batch` is that of the probes, which decides the last digits of signals; None where there is no probe.
    `new_head`: the head was drawn anew over weights that the run was told to begin with; None where it was told none.
    """

    num_updates: int | None
    updates_per_epoch: int | None
    device: str
    threads: int
    seed: int
    resumed_from: int = 0
    micro_batch: int | None = None
    resumed: Resumed | UnsetType = UNSET
    new_head: bool | None = None


def describe_training(block_map: BlockMap, facts: Facts, abilities: Abilities, learning_rates: list[float]) -> Ready:
    """The message `ready`; `learning_rates` are those of the next update, one a group, before any factor is applied."""
    return Ready(
        blocks=[
            Block(block.name, block.num_params, True if block.name in block_map.trainable_from_start else UNSET)
            for block in block_map.blocks
        ],
        head=Head(block_map.head.name, block_map.head.num_params),
        num_updates=facts.num_updates,
        updates_per_epoch=facts.updates_per_epoch,
        learning_rates=learning_rates,
        device=facts.device,
        threads=facts.threads,
        seed=facts.seed,
        resumed_from=facts.resumed_from,
        can=abilities.orders,
        micro_batch=UNSET if facts.micro_batch is None else facts.micro_batch,
        new_head=UNSET if facts.new_head is None else facts.new_head,
        resumed=facts.resumed,
    )
