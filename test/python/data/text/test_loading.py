"""Training, development and test records as a configuration asks for them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from text_examples import XQUAD_FILE_LANGUAGES, XQUAD_FOLDER, needs_xquad
from text_training import LANGUAGES, write_pairs, write_questions

from thawline.config.text_data import QuestionAnsweringConfig, SentencePairsConfig, XquadArticlesConfig
from thawline.data.text.loading import load_pair_records, load_question_records
from thawline.errors import UserError


def questions_config(folder: Path, **changes: Any) -> QuestionAnsweringConfig:
    return msgspec.convert(write_questions(folder) | changes, QuestionAnsweringConfig)


def pairs_config(folder: Path, **changes: Any) -> SentencePairsConfig:
    return msgspec.convert(write_pairs(folder) | changes, SentencePairsConfig)


def articles_config(**changes: Any) -> XquadArticlesConfig:
    every = {"path": str(XQUAD_FOLDER), "languages": ["en"], "max_length": 384, "stride": 128}
    limits = {"max_train_examples": None, "max_test_examples": None}
    return msgspec.convert({"kind": "xquad_articles", **every, **limits, **changes}, XquadArticlesConfig)


def test_questions_by_test_set_and_language(tmp_path: Path) -> None:
    records = load_question_records(questions_config(tmp_path))
    assert (len(records.train), len(records.development)) == (5, 5)
    assert [(test.name, test.language, test.scorer) for test in records.tests] == [
        *(("xquad", language, "squad") for language in LANGUAGES),
        ("mlqa", "zh", "mlqa"),
    ]


def test_limits_take_the_first_ones_and_each_language_has_its_own(tmp_path: Path) -> None:
    records = load_question_records(questions_config(tmp_path, max_train_examples=2, max_test_examples=3))
    assert [question.id for question in records.train] == ["q1", "q2"]
    assert [question.id for question in records.development] == ["q1", "q2", "q3"]
    assert [len(test.records) for test in records.tests] == [3] * 4


def test_pairs_by_test_set_and_language(tmp_path: Path) -> None:
    records = load_pair_records(pairs_config(tmp_path, max_train_examples=4, max_test_examples=2))
    assert (len(records.train), len(records.development)) == (4, 2)
    assert [(test.name, test.language, len(test.records)) for test in records.tests] == [
        ("xnli", language, 2) for language in LANGUAGES
    ]


def test_a_language_that_is_not_there(tmp_path: Path) -> None:
    tests = [{"name": "xnli", "source": str(tmp_path), "languages": ["sw"]}]
    with pytest.raises(UserError, match='no pair in the language "sw"'):
        load_pair_records(pairs_config(tmp_path, tests=tests))


@needs_xquad
def test_no_article_of_xquad_is_in_two_parts_in_any_language() -> None:
    records = load_question_records(articles_config(languages=list(XQUAD_FILE_LANGUAGES)))
    parts = [{question.article for question in part} for part in (records.train, records.development)]
    parts.append({question.article for question in records.tests[0].records})
    assert [len(part) for part in parts] == [30, 6, 12]
    assert len(set().union(*parts)) == 48
    assert [test.language for test in records.tests] == list(XQUAD_FILE_LANGUAGES)
    ids = [question.id for question in records.tests[0].records]
    assert all([question.id for question in test.records] == ids for test in records.tests)
    english = {question.context for question in records.train}
    assert all(not english & {question.context for question in test.records} for test in records.tests)
    assert len(records.train) + len(records.development) + len(ids) == 1190


@needs_xquad
def test_it_trains_on_english_where_english_is_not_tested() -> None:
    records = load_question_records(articles_config(languages=["th"], max_train_examples=5, max_test_examples=3))
    assert all(question.context.isascii() or "the" in question.context for question in records.train)
    assert [(len(records.train), len(records.development), len(records.tests[0].records))] == [(5, 3, 3)]
    assert any("\u0e00" <= character <= "\u0e7f" for character in records.tests[0].records[0].context)
