"""The configured text data: what to train on, to choose by, and to test on, language by language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from thawline.config.text_data import QuestionAnsweringConfig, SentencePairsConfig, XquadArticlesConfig
from thawline.data.text.articles import questions_of_articles, seeded_article_order, split_articles
from thawline.data.text.records import Pair, Question
from thawline.data.text.sources import read_pairs, read_questions
from thawline.data.text.squad import read_xquad

TRAINING_LANGUAGE = "en"
# The articles that are trained on are a property of the task, not of a run: seeds can be compared.
ARTICLE_SEED = 0

Record = TypeVar("Record", Question, Pair)
Scorer = Literal["squad", "mlqa"]


@dataclass(frozen=True)
class LanguageRecords(Generic[Record]):
    """One language of one test set; `scorer` is of questions only."""

    name: str
    language: str
    records: Sequence[Record]
    scorer: Scorer = "squad"


@dataclass(frozen=True)
class TextRecords(Generic[Record]):
    """Training and development data are English."""

    train: Sequence[Record]
    development: Sequence[Record]
    tests: tuple[LanguageRecords[Record], ...]


def load_question_records(config: QuestionAnsweringConfig | XquadArticlesConfig) -> TextRecords[Question]:
    """Raises UserError: what the readers raise for data that are missing or wrong."""
    if isinstance(config, XquadArticlesConfig):
        return _load_articles(config)
    limit = config.max_test_examples
    return TextRecords(
        _english(read_questions(config.train, "train", [TRAINING_LANGUAGE]))[: config.max_train_examples],
        _english(read_questions(config.development, "development", [TRAINING_LANGUAGE]))[:limit],
        tuple(
            LanguageRecords(test.name, language, questions[:limit], test.scorer)
            for test in config.tests
            for language, questions in read_questions(test.source, "test", test.languages).items()
        ),
    )


def load_pair_records(config: SentencePairsConfig) -> TextRecords[Pair]:
    """Raises UserError like `load_question_records`."""
    limit = config.max_test_examples
    return TextRecords(
        _english(read_pairs(config.train, "train", [TRAINING_LANGUAGE]))[: config.max_train_examples],
        _english(read_pairs(config.development, "development", [TRAINING_LANGUAGE]))[:limit],
        tuple(
            LanguageRecords(test.name, language, pairs[:limit])
            for test in config.tests
            for language, pairs in read_pairs(test.source, "test", test.languages).items()
        ),
    )


def _english(read: dict[str, list[Record]]) -> list[Record]:
    return read[TRAINING_LANGUAGE]


def _load_articles(config: XquadArticlesConfig) -> TextRecords[Question]:
    """No article is in two of the parts, in any language: the test articles are the same in all of them."""
    languages = dict.fromkeys([TRAINING_LANGUAGE, *config.languages])
    read = read_xquad(Path(config.path), list(languages))
    split = split_articles(seeded_article_order(ARTICLE_SEED))
    english = read[TRAINING_LANGUAGE]
    return TextRecords(
        questions_of_articles(english, split.train)[: config.max_train_examples],
        questions_of_articles(english, split.dev)[: config.max_test_examples],
        tuple(
            LanguageRecords(
                "xquad", language, questions_of_articles(read[language], split.test)[: config.max_test_examples]
            )
            for language in config.languages
        ),
    )
