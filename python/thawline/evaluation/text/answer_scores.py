"""Exact match and F1 of predicted answers: what the scorers of SQuAD and MLQA have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from thawline.data.text.records import Question

Normalize = Callable[[str], str]
"""Text to tokens that are separated by single spaces; all that it drops or merges makes no difference to a score."""


class AnswerScores(NamedTuple):
    """Percentages, 0 to 100."""

    exact_match: float
    f1: float


def score_answers(questions: Sequence[Question], predictions: Mapping[str, str], normalize: Normalize) -> AnswerScores:
    """Mean over all questions of the best score over a question's gold answers.

    `predictions` maps question ids to texts; a question without a prediction scores 0, further predictions are ignored.
    """
    assert questions
    exact_match, f1 = 0, 0.0
    for question in questions:
        if (prediction := predictions.get(question.id)) is None:
            continue
        predicted = normalize(prediction)
        golds = [normalize(answer.text) for answer in question.answers]
        exact_match += predicted in golds
        f1 += max(token_f1(predicted, gold) for gold in golds)
    return AnswerScores(100 * exact_match / len(questions), 100 * f1 / len(questions))


def token_f1(predicted: str, gold: str) -> float:
    """Harmonic mean of precision and recall of the tokens as a multiset, of texts that are normalised.

    0 when nothing is shared, also where both are empty and so match exactly (as both official scorers have it).
    """
    predicted_tokens, gold_tokens = predicted.split(), gold.split()
    shared = (Counter(predicted_tokens) & Counter(gold_tokens)).total()
    return 2 * shared / (len(predicted_tokens) + len(gold_tokens)) if shared else 0.0
