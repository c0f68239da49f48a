"""The score of MLQA: SQuAD's, with punctuation, articles and tokens by the language of the context."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial

from thawline.data.text.records import Question
from thawline.errors import UserError
from thawline.evaluation.text.answer_scores import AnswerScores, score_answers

_WORD = r"\b(?:{})\b"
_ARTICLES: dict[str, re.Pattern[str] | None] = {
    "en": re.compile(_WORD.format("a|an|the")),
    "es": re.compile(_WORD.format("un|una|unos|unas|el|la|los|las")),
    "de": re.compile(_WORD.format("ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des")),
    # của, là, cái, chiếc, những
    "vi": re.compile(_WORD.format("c\u1ee7a|l\u00e0|c\u00e1i|chi\u1ebfc|nh\u1eefng")),
    # Alef and lam, the article: the official pattern also takes the two letters out of the middle of words.
    "ar": re.compile("\u0627\u0644"),
    "hi": None,
    "zh": None,
}

_CHINESE_CHARACTER = re.compile("([\u4e00-\u9fa5])")


def score_mlqa(questions: Sequence[Question], predictions: Mapping[str, str], language: str) -> AnswerScores:
    """Exact match and F1 of the predictions by question id, as the official script of MLQA.

    `language` is that of the contexts, of which the answers are parts, not that of the questions.
    Raises UserError: `invalid_config` for a language that MLQA does not have.
    """
    if language not in _ARTICLES:
        raise UserError(
            "invalid_config",
            f'MLQA\'s scorer does not know the language "{language}", only {", ".join(sorted(_ARTICLES))}',
            hint="score other languages with SQuAD's",
        )
    return score_answers(questions, predictions, partial(normalize_mlqa_answer, language=language))


def normalize_mlqa_answer(text: str, language: str) -> str:
    """Lower case, without punctuation of any script and the language's articles, tokens separated by single spaces.

    Each Chinese character (U+4E00 to U+9FA5) is a token of its own in Chinese, so that spaces make no difference.
    """
    bare = "".join(character for character in text.lower() if not _is_punctuation(character))
    articles = _ARTICLES[language]
    without_articles = bare if articles is None else articles.sub(" ", bare)
    if language == "zh":
        without_articles = _CHINESE_CHARACTER.sub(r" \1 ", without_articles)
    return " ".join(without_articles.split())


def _is_punctuation(character: str) -> bool:
    # Unicode calls some ASCII punctuation symbols: $ + < = > ^ ` | ~
    return character in string.punctuation or unicodedata.category(character).startswith("P")
