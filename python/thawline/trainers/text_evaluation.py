"""How a run on text is scored: on the development set while it trains, on every language at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor, nn

from thawline.evaluation.losses import mean_and_error
from thawline.evaluation.text.predictions import Batching
from thawline.interruption import ShouldStop
from thawline.lockstep.abilities import SplitScore
from thawline.trainers.text_task import TextTask

DEVELOPMENT = "development"


def validator(task: TextTask, model: nn.Module, batching: Batching) -> Callable[[ShouldStop], SplitScore]:
    """The function that scores the development set, as `Abilities.validate` wants it."""

    def validate(should_stop: ShouldStop) -> SplitScore:
        losses: list[Tensor] = []
        values = task.development.score(model, batching, should_stop, losses)
        loss = mean_and_error(losses)
        return SplitScore(DEVELOPMENT, values, task.development.num_examples, regenerated=False, loss=loss)

    return validate


def evaluator(
    task: TextTask, model: nn.Module, batching: Batching, done: Callable[[list[SplitScore]], None]
) -> Callable[[ShouldStop], Iterator[SplitScore]]:
    """The function that scores every split of the task, as `Abilities.evaluate` wants it.

    `done` is given all scores, unless a recall cut them short.
    """

    def evaluate(should_stop: ShouldStop) -> Iterator[SplitScore]:
        scores: list[SplitScore] = []
        # The English part of a test set is there under two names.
        known: dict[int, dict[str, float]] = {}
        for split, test in task.tests.items():
            values = known[id(test)] if id(test) in known else test.score(model, batching, should_stop)
            known[id(test)] = values
            scores.append(SplitScore(split, values, test.num_examples, regenerated=False))
            yield scores[-1]
        done(scores)

    return evaluate
