import json
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from text_examples import CITY, RIVER, squad_example, write_json

from thawline.data.text.hub import HubSource, LocalSource, load_pairs, load_questions
from thawline.data.text.records import Pair, Question
from thawline.data.text.squad import read_squad_file
from thawline.errors import UserError

REVISION = "0123456789abcdef0123456789abcdef01234567"


def rows_of(questions: list[Question]) -> list[dict[str, Any]]:
    """As data sets on the Hub hold them."""
    return [
        {
            "id": question.id,
            "title": question.title,
            "context": question.context,
            "question": question.question,
            "answers": {
                "text": [answer.text for answer in question.answers],
                "answer_start": [answer.start for answer in question.answers],
            },
        }
        for question in questions
    ]


@pytest.fixture
def questions(tmp_path: Path) -> list[Question]:
    return read_squad_file(write_json(tmp_path / "example.json", squad_example()))


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def questions_in(path: Path) -> list[Question]:
    return load_questions(LocalSource(path), cache_folder=path.parent / "cache")


def pairs_in(path: Path) -> list[Pair]:
    return load_pairs(LocalSource(path), cache_folder=path.parent / "cache")


def test_parquet_and_json_lines_give_what_the_json_file_gives(tmp_path: Path, questions: list[Question]) -> None:
    rows = rows_of(questions)
    Dataset.from_list(rows).to_parquet(tmp_path / "dev.parquet")
    assert questions_in(tmp_path / "dev.parquet") == questions
    assert questions_in(write_jsonl(tmp_path / "dev.jsonl", rows)) == questions
    assert {question.context for question in questions_in(tmp_path / "dev.jsonl")} >= {RIVER, CITY}


def test_a_folder_of_parquet_files_is_one_data_set(tmp_path: Path, questions: list[Question]) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    Dataset.from_list(rows_of(questions[3:])).to_parquet(folder / "b.parquet")
    Dataset.from_list(rows_of(questions[:3])).to_parquet(folder / "a.parquet")
    assert load_questions(LocalSource(folder), cache_folder=tmp_path / "cache") == questions


def test_without_titles_no_article_is_made_up(tmp_path: Path, questions: list[Question]) -> None:
    rows = [{key: value for key, value in row.items() if key != "title"} for row in rows_of(questions)]
    found = questions_in(write_jsonl(tmp_path / "dev.jsonl", rows))
    assert [(question.article, question.title) for question in found] == [(None, None)] * 5


def test_an_error_names_the_row(tmp_path: Path, questions: list[Question]) -> None:
    rows = rows_of(questions)
    rows[2]["answers"]["answer_start"] = [0]
    with pytest.raises(
        UserError, match=r"dev\.jsonl, row 3, question q3: the answer 'Ada Byron' is not at character 0"
    ):
        questions_in(write_jsonl(tmp_path / "dev.jsonl", rows))
    rows[2]["answers"]["answer_start"] = [0, 1]
    with pytest.raises(UserError, match=r"more\.jsonl, row 3: `answers` is not"):
        questions_in(write_jsonl(tmp_path / "more.jsonl", rows))
    rows[2]["context"] = None
    with pytest.raises(UserError, match=r"none\.jsonl, row 3: `context` is None, not text"):
        questions_in(write_jsonl(tmp_path / "none.jsonl", rows))


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "dev.jsonl", [{"id": "1", "question": "?", "text": "x"}])
    with pytest.raises(UserError, match=r'no column "context", but id, question, text') as caught:
        questions_in(path)
    assert caught.value.code == "wrong_data"


def test_labels_are_the_names_that_the_data_set_gives_its_classes(tmp_path: Path) -> None:
    names = ["contradiction", "entailment", "neutral"]
    features = Features({"premise": Value("string"), "hypothesis": Value("string"), "label": ClassLabel(names=names)})
    columns = {"premise": ["a", "b", "c", "d"], "hypothesis": ["e", "f", "g", "h"], "label": [0, 2, -1, 1]}
    Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "dev.parquet")
    assert pairs_in(tmp_path / "dev.parquet") == [
        Pair("a", "e", "contradiction"),
        Pair("b", "f", "neutral"),
        Pair("d", "h", "entailment"),
    ]


def test_json_lines_name_their_labels(tmp_path: Path) -> None:
    rows = [{"premise": "a", "hypothesis": "b", "label": label} for label in ["neutral", "-", "contradictory"]]
    labels = [pair.label for pair in pairs_in(write_jsonl(tmp_path / "dev.jsonl", rows))]
    assert labels == ["neutral", "contradiction"]


def test_numbers_without_names_are_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "dev.jsonl", [{"premise": "a", "hypothesis": "b", "label": 1}])
    with pytest.raises(UserError, match=r"dev\.jsonl, row 1: 1 is not the name of a label"):
        pairs_in(path)


def test_a_data_set_without_labels_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "dev.jsonl", [{"premise": "a", "hypothesis": "b", "label": "-"}])
    with pytest.raises(UserError, match="has no pair with a label"):
        pairs_in(path)


@pytest.mark.parametrize("name", ["nothing.parquet", "example.json", "empty"])
def test_other_paths_are_refused(tmp_path: Path, questions: list[Question], name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"is neither a \.parquet or \.jsonl file") as caught:
        questions_in(tmp_path / name)
    assert caught.value.code == "missing_data"


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "dev.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(UserError, match=r"dev\.parquet cannot be loaded"):
        questions_in(tmp_path / "dev.parquet")


@pytest.mark.parametrize("revision", [None, "main", "refs/convert/parquet", REVISION[:7]])
def test_a_source_on_the_hub_needs_a_pinned_revision(revision: str | None) -> None:
    with pytest.raises(UserError, match="rajpurkar/squad is given with") as caught:
        load_questions(HubSource("rajpurkar/squad", revision, "validation"))
    assert "40 hex digits" in caught.value.hint
