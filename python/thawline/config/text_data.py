"""The `data` section of a run on text, as the controller sends it; src/config/schema/text-data.ts explains it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class HubSourceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A split of a data set on the Hub; in `config`, `{language}` stands for a language's code."""

    hub: str
    revision: str
    config: str | None
    split: str


SourceConfig = str | HubSourceConfig
"""A string is an absolute path, in which `{language}` stands for a language's code."""


class TestSetConfig(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    source: SourceConfig
    languages: list[str]


class AnswerTestSetConfig(TestSetConfig, frozen=True, forbid_unknown_fields=True):
    scorer: Literal["squad", "mlqa"]


class _TextData(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`max_test_examples` limits the development set, and each language of each test set."""

    max_length: int
    max_train_examples: int | None
    max_test_examples: int | None


class QuestionAnsweringConfig(_TextData, frozen=True, kw_only=True, tag_field="kind", tag="question_answering"):
    train: SourceConfig
    development: SourceConfig
    tests: list[AnswerTestSetConfig]
    stride: int


class SentencePairsConfig(_TextData, frozen=True, kw_only=True, tag_field="kind", tag="sentence_pairs"):
    train: SourceConfig
    development: SourceConfig
    tests: list[TestSetConfig]


class XquadArticlesConfig(_TextData, frozen=True, kw_only=True, tag_field="kind", tag="xquad_articles"):
    """English articles split into training, development and test, the same in every run; tested in `languages`."""

    path: str
    languages: list[str]
    stride: int


TextDataConfig = QuestionAnsweringConfig | SentencePairsConfig | XquadArticlesConfig
