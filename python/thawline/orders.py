"""What a grant orders besides training: checkpoints, evaluations, the best weights; each is reported when done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET

from thawline.protocol import Checkpointed, Evaluated, Grant, Kept, Order, ResumePoint, to_metric_value
from thawline.training import Abilities, ShouldStop, SplitScore

if TYPE_CHECKING:
    from pathlib import Path

    from thawline.channel import Channel
    from thawline.checkpoint import SavedCheckpoint
    from thawline.stopwatch import Stopwatch

Phase = Literal["train", "probe", "evaluate", "checkpoint"]


class Orders:
    """Carries out orders by a training's abilities. `poll` makes what a phase asks between batches: whether to stop."""

    def __init__(
        self,
        channel: Channel,
        abilities: Abilities,
        run_folder: Path,
        stopwatch: Stopwatch,
        poll: Callable[[Phase, str], ShouldStop],
    ) -> None:
        self._channel = channel
        self._abilities = abilities
        self._run_folder = run_folder
        self._stopwatch = stopwatch
        self._poll = poll

    def carry_out(self, grant: Grant, step: int) -> None:
        """The orders of `grant`, in its order, in the state after `step` updates.

        Raises Interrupted where a recall ended an evaluation; what was reported before stands.
        """
        for order in grant.orders:
            self._carry_out(order, grant, step)

    def _carry_out(self, order: Order, grant: Grant, step: int) -> None:
        match order:
            case "checkpoint":
                self.save(step)
            case "evaluate":
                self._evaluate(step)
            case "validate":
                self._validate(step)
            case "keep_best":
                self._keep_best(step)
            case "restore_best":
                assert isinstance(grant.best, ResumePoint), "restore_best without what is to be restored"
                self._restore_best(grant.best)

    def save(self, step: int) -> None:
        assert self._abilities.save is not None
        with self._stopwatch.measure("checkpoint"):
            saved = self._abilities.save(step)
        self._channel.send(Checkpointed(saved.step, self._inside(saved), saved.manifest_sha256, saved.weights_sha256))

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
            )
        )
