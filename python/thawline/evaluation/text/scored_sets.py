"""A test set with its own scorer: what a run is evaluated on, one language of one data set each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from thawline.data.text.encoded_pairs import EncodedPairs
from thawline.data.text.records import Pair, Question
from thawline.data.text.windows import QuestionWindows
from thawline.evaluation.text.answer_scores import AnswerScores
from thawline.evaluation.text.nli_scorer import score_pairs
from thawline.evaluation.text.predictions import Batching, predict_answers, predict_pairs

AnswerScorer = Callable[[Sequence[Question], dict[str, str]], AnswerScores]


class ScoredSet(Protocol):
    @property
    def num_examples(self) -> int: ...

    def score(
        self,
        model: nn.Module,
        batching: Batching,
        should_stop: Callable[[], bool],
        losses: list[Tensor] | None = None,
    ) -> dict[str, float]:
        """Scores by name, shares of 1, the one that a run is judged by first.

        `losses` are given the loss of each sequence [n], batch by batch.

        Raises Interrupted when `should_stop()`, asked before each batch, is true.
        """


@dataclass(frozen=True)
class ScoredQuestions:
    """Values: `f1` and `exact_match`."""

    questions: Sequence[Question]
    windows: QuestionWindows
    scorer: AnswerScorer

    @property
    def num_examples(self) -> int:
        return len(self.questions)

    def score(
        self,
        model: nn.Module,
        batching: Batching,
        should_stop: Callable[[], bool],
        losses: list[Tensor] | None = None,
    ) -> dict[str, float]:
        predictions = predict_answers(model, self.questions, self.windows, batching, should_stop, losses)
        percent = self.scorer(self.questions, predictions)
        return {"f1": percent.f1 / 100, "exact_match": percent.exact_match / 100}


@dataclass(frozen=True)
class ScoredPairs:
    """Value: `accuracy`."""

    pairs: Sequence[Pair]
    encoded: EncodedPairs

    @property
    def num_examples(self) -> int:
        return len(self.pairs)

    def score(
        self,
        model: nn.Module,
        batching: Batching,
        should_stop: Callable[[], bool],
        losses: list[Tensor] | None = None,
    ) -> dict[str, float]:
        predictions = predict_pairs(model, self.encoded, batching, should_stop, losses)
        return {"accuracy": score_pairs(self.pairs, predictions) / 100}
