"""Training, development and test questions that share no article."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from thawline.data.text.records import Question
from thawline.errors import UserError
from thawline.host.determinism import permutation

XQUAD_ARTICLES = 48


class ArticleSplit(NamedTuple):
    """Positions of articles in their file. XQuAD's files have the same articles at the same positions, so a test
    article is held out in every language."""

    train: tuple[int, ...]
    dev: tuple[int, ...]
    test: tuple[int, ...]


def seeded_article_order(seed: int, num_articles: int = XQUAD_ARTICLES) -> tuple[int, ...]:
    """A permutation of range(num_articles), as a function of its arguments."""
    return tuple(permutation(seed, "article_split", num_articles).tolist())


def split_articles(order: Sequence[int], *, train: int = 30, dev: int = 6, test: int = 12) -> ArticleSplit:
    """The first `train` articles of `order`, the next `dev`, the next `test`; `order` names no article twice.

    A scaled-down stand-in for SQuAD (decision): XQuAD's English articles are a part of SQuAD's dev set.
    Raises UserError: `invalid_config` when the order is too short or names an article twice.
    """
    if len({*order}) != len(order):
        raise UserError("invalid_config", "the order of articles names one twice", hint="name each article once")
    if train + dev + test > len(order):
        raise UserError(
            "invalid_config",
            f"{train} + {dev} + {test} articles are asked for, the order has {len(order)}",
            hint="ask for fewer articles",
        )
    ends = (train, train + dev, train + dev + test)
    return ArticleSplit(tuple(order[: ends[0]]), tuple(order[ends[0] : ends[1]]), tuple(order[ends[1] : ends[2]]))


def questions_of_articles(questions: Sequence[Question], articles: Collection[int]) -> list[Question]:
    """The questions on these articles, in their order.

    Raises UserError: `wrong_data` for questions that do not say their article, or an article without a question.
    """
    missing = {*articles} - {question.article for question in questions}
    if any(question.article is None for question in questions):
        raise UserError(
            "wrong_data",
            "these questions do not say which article they are on, so they cannot be split by article",
            hint="read them from SQuAD JSON files such as xquad.en.json",
        )
    if missing:
        raise UserError(
            "wrong_data",
            f"there is no article at position {min(missing)}",
            hint=f"positions count from 0; the data have {len({question.article for question in questions})} articles",
        )
    return [question for question in questions if question.article in articles]
