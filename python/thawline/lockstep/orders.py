"""What a grant orders besides training: checkpoints, evaluations, the best weights; each is reported when done."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, UnsetType

from thawline.errors import NoRoomError
from thawline.failpoint import failpoint
from thawline.interruption import ShouldStop
from thawline.lockstep.abilities import Abilities, SplitScore
from thawline.wire.codec import cut_text
from thawline.wire.protocol import Checkpointed, Evaluated, Grant, Kept, Log, Order, ResumePoint
from thawline.wire.values import Loss, to_metric_value

if TYPE_CHECKING:
    from pathlib import Path

    from thawline.lockstep.room_wait import RoomWait
    from thawline.lockstep.stopwatch import Stopwatch
    from thawline.storage.checkpoint import SavedCheckpoint
    from thawline.wire.channel import Channel

Phase = Literal["train", "probe", "evaluate", "checkpoint"]


class Orders:
    """Carries out a grant's orders by the training's abilities, and reports each of them over the channel.

    `poll(phase, detail)` makes the `ShouldStop` that an evaluation asks between two batches. A full disk is waited for.
    """

    def __init__(
        self,
        channel: Channel,
        abilities: Abilities,
        run_folder: Path,
        stopwatch: Stopwatch,
        poll: Callable[[Phase, str], ShouldStop],
        room: RoomWait,
    ) -> None:
        self._channel = channel
        self._abilities = abilities
        self._run_folder = run_folder
        self._stopwatch = stopwatch
        self._poll = poll
        self._room = room

    def carry_out(self, grant: Grant, step: int) -> None:
        """The orders of `grant`, in its order, in the state after `step` updates.

        Raises Interrupted where a recall ended an evaluation; what was reported before stands.
        """
        for order in grant.orders:
            self._carry_out(order, grant, step)

    def _carry_out(self, order: Order, grant: Grant, step: int) -> None:
        match order:
            case "checkpoint":
                self._room.until_written(step, lambda: self.save(step))
            case "evaluate":
                self._evaluate(step)
            case "validate":
                self._validate(step)
            case "keep_best":
                self._room.until_written(step, lambda: self._keep_best(step))
            case "restore_best":
                assert isinstance(grant.best, ResumePoint), "restore_best without what is to be restored"
                self._restore_best(grant.best)

    def save(self, step: int) -> None:
        """Writes a checkpoint of the state after `step` updates, and says where it is.

        Raises NoRoomError and EnvironmentFault as `Abilities.save` does.
        """
        assert self._abilities.save is not None
        with self._stopwatch.measure("checkpoint"):
            saved = self._abilities.save(step)
        failpoint("checkpoint.saved")
        self._channel.send(Checkpointed(saved.step, self._inside(saved), saved.manifest_sha256, saved.weights_sha256))

    def save_last(self, step: int) -> None:
        """The checkpoint of a run that stops: it does not wait for room, the checkpoint before is there."""
        try:
            self.save(step)
        except NoRoomError as error:
            self._channel.send(Log("warning", cut_text(f"{error}; the run stops without it")))

    def _evaluate(self, step: int) -> None:
        assert self._abilities.evaluate is not None
        with self._stopwatch.measure("evaluate"):
            for score in self._abilities.evaluate(self._poll("evaluate", "")):
                self._report(score, step)

    def _validate(self, step: int) -> None:
        assert self._abilities.validate is not None
        with self._stopwatch.measure("evaluate"):
            self._report(self._abilities.validate(self._poll("evaluate", "development")), step)

    def _keep_best(self, step: int) -> None:
        assert self._abilities.keep_best is not None
        with self._stopwatch.measure("checkpoint"):
            kept = self._abilities.keep_best(step)
        failpoint("best.kept")
        self._channel.send(Kept(kept.step, self._inside(kept), kept.manifest_sha256, kept.weights_sha256))

    def _restore_best(self, best: ResumePoint) -> None:
        assert self._abilities.restore_best is not None
        with self._stopwatch.measure("checkpoint"):
            self._abilities.restore_best(self._run_folder / best.path, best.manifest_sha256)

    def _inside(self, saved: SavedCheckpoint) -> str:
        return str(saved.path.relative_to(self._run_folder))

    def _report(self, score: SplitScore, step: int) -> None:
        values = {name: to_metric_value(value) for name, value in score.values.items()}
        self._channel.send(
            Evaluated(
                step,
                score.split,
                values,
                score.num_examples,
                score.regenerated,
                score.from_jpeg,
                score.left_out,
                UNSET if score.made_with is None else score.made_with,
                _loss_of(score),
            )
        )
        if score.warning is not None:
            self._channel.send(Log("warning", cut_text(score.warning)))


def _loss_of(score: SplitScore) -> Loss | UnsetType:
    if score.loss is None:
        return UNSET
    value, error = score.loss
    return Loss(to_metric_value(value), to_metric_value(error) if math.isfinite(error) else None)
