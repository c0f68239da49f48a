"""The score of SQuAD v1.1, which XQuAD uses unchanged in every language (so does XTREME)."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

from thawline.data.text.records import Question
from thawline.evaluation.text.answer_scores import AnswerScores, score_answers

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def score_squad(questions: Sequence[Question], predictions: Mapping[str, str]) -> AnswerScores:
    """Exact match and F1 of the predictions by question id, as the official script of SQuAD v1.1."""
    return score_answers(questions, predictions, normalize_squad_answer)


def normalize_squad_answer(text: str) -> str:
    """Lower case, without ASCII punctuation and English articles, single spaces.

    The order matters: "the-end" becomes the word "theend", from which no article is taken.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())
