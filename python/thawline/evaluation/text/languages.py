"""The languages of each test set, and the two averages that the paper's Tables 4 and 7 print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

XQUAD_LANGUAGES = ("en", "ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi", "zh")
"""As published and as XTREME scores it; X-ling is a mean over ten languages (decision)."""

XQUAD_LANGUAGES_WITH_ROMANIAN = (*XQUAD_LANGUAGES, "ro")
"""With the language that was added later; X-ling is then a mean over eleven."""

MLQA_LANGUAGES = ("en", "ar", "de", "es", "hi", "vi", "zh")

XNLI_LANGUAGES = ("en", "ar", "bg", "de", "el", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")


class LanguageAverages(NamedTuple):
    """`english` is the in-distribution score, `cross_lingual` ("X-ling") the unweighted mean of all other languages."""

    english: float
    cross_lingual: float


def average_languages(scores: Mapping[str, float]) -> LanguageAverages:
    """Scores by language code, English ("en") and at least one other."""
    others = [score for language, score in scores.items() if language != "en"]
    assert others
    return LanguageAverages(scores["en"], sum(others) / len(others))
