"""One key of the configuration, and the many forms in which the data behind it are published."""

from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset
from text_examples import squad_example, write_json
from text_training import LANGUAGES, write_pairs

from thawline.config.text_data import HubSourceConfig
from thawline.data.text.hub import HubSource
from thawline.data.text.records import Question
from thawline.data.text.sources import read_pairs, read_questions
from thawline.errors import UserError


def named(folder: Path, name: str, title: str) -> Path:
    """The example under a title by which one file is told from another."""
    example = squad_example()
    for article in example["data"]:
        article["title"] = title
    return write_json(folder / name, example)


def titles(questions: list[Question]) -> set[str | None]:
    assert len(questions) == 5
    return {question.title for question in questions}


@pytest.mark.parametrize(("role", "split"), [("train", "train"), ("development", "dev"), ("test", "dev")])
def test_a_folder_of_squad(tmp_path: Path, role: str, split: str) -> None:
    for name in ("train", "dev"):
        named(tmp_path, f"{name}-v1.1.json", name)
    assert titles(read_questions(str(tmp_path), role, ["en"])["en"]) == {split}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_folder_of_xquad_or_a_file_for_each_language(tmp_path: Path, language: str) -> None:
    for other in LANGUAGES:
        named(tmp_path, f"xquad.{other}.json", other)
    assert titles(read_questions(str(tmp_path), "test", [language])[language]) == {language}
    assert titles(read_questions(f"{tmp_path}/xquad.{{language}}.json", "test", [language])[language]) == {language}
    assert titles(read_questions(f"{tmp_path}/xquad.zh.json", "test", [language])[language]) == {"zh"}


@pytest.mark.parametrize("inside", ["MLQA_V1", "."])
@pytest.mark.parametrize(("role", "split"), [("development", "dev"), ("test", "test")])
def test_a_folder_of_mlqa(tmp_path: Path, inside: str, role: str, split: str) -> None:
    for name in ("dev", "test"):
        named(tmp_path / inside / name, f"{name}-context-de-question-de.json", name)
    assert titles(read_questions(str(tmp_path), role, ["de"])["de"]) == {split}


def test_tables_of_questions(tmp_path: Path) -> None:
    row = {"id": "q", "question": "?", "context": "a river", "answers": {"text": ["river"], "answer_start": [2]}}
    Dataset.from_list([row]).to_parquet(tmp_path / "de" / "dev.parquet")
    for source in ("{language}", "{language}/dev.parquet"):
        (question,) = read_questions(f"{tmp_path}/{source}", "test", ["de"])["de"]
        assert question.answers[0].text == "river"


@pytest.mark.parametrize("name", ["nowhere", "nowhere.json", "nowhere.parquet"])
def test_questions_that_are_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as caught:
        read_questions(str(tmp_path / name), "train", ["en"])
    assert caught.value.code == "missing_data"
    assert name in caught.value.message


def test_a_language_that_a_folder_does_not_have(tmp_path: Path) -> None:
    named(tmp_path, "xquad.en.json", "en")
    with pytest.raises(UserError, match=r"xquad\.th\.json cannot be read"):
        read_questions(str(tmp_path), "test", ["th"])


def test_folders_and_tables_of_pairs(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    assert [*read_pairs(str(tmp_path), "train", ["en"])] == ["en"]
    for source, role in [(tmp_path, "test"), (tmp_path / "xnli.test.tsv", "test"), (tmp_path, "development")]:
        found = read_pairs(str(source), role, ["zh", "de"])
        assert [*found] == ["zh", "de"]
        assert [len(pairs) for pairs in found.values()] == [9, 9]
    assert len(read_pairs(str(tmp_path / "multinli_1.0_train.txt"), "train", ["en"])["en"]) == 9


def test_the_part_of_xnli_is_that_of_the_role(tmp_path: Path) -> None:
    header = "language\tgold_label\tsentence1\tsentence2\n"
    for split in ("dev", "test"):
        (tmp_path / f"xnli.{split}.tsv").write_text(f"{header}en\tneutral\t{split}\tb\n")
    for role, split in [("development", "dev"), ("test", "test")]:
        assert read_pairs(str(tmp_path), role, ["en"])["en"][0].premise == split


def test_a_table_of_pairs_for_each_language(tmp_path: Path) -> None:
    for language in ("en", "de"):
        rows = [{"premise": language, "hypothesis": "b", "label": "neutral"}]
        Dataset.from_list(rows).to_parquet(tmp_path / f"{language}.parquet")
    found = read_pairs(f"{tmp_path}/{{language}}.parquet", "test", ["de", "en"])
    assert {language: pairs[0].premise for language, pairs in found.items()} == {"de": "de", "en": "en"}


@pytest.mark.parametrize("read", [read_questions, read_pairs])
def test_the_hub_is_asked_for_the_configuration_of_the_language(
    read: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[HubSource] = []

    def load(source: HubSource) -> list[object]:
        asked.append(source)
        return []

    for name in ("load_questions", "load_pairs"):
        monkeypatch.setattr(f"thawline.data.text.sources.{name}", load)
    source = HubSourceConfig("google/xquad", "0" * 40, "xquad.{language}", "validation")
    assert read(source, "test", ["de"]) == {"de": []}
    assert asked == [HubSource("google/xquad", "0" * 40, "validation", "xquad.de")]


@pytest.mark.parametrize("name", ["squad", "squad/dev-v1.1.json", "table", "table/dev.parquet"])
def test_one_file_of_questions_does_not_stand_for_several_languages(tmp_path: Path, name: str) -> None:
    named(tmp_path / "squad", "dev-v1.1.json", "en")
    row = {"id": "q", "question": "?", "context": "a river", "answers": {"text": ["river"], "answer_start": [2]}}
    Dataset.from_list([row]).to_parquet(tmp_path / "table" / "dev.parquet")
    source = str(tmp_path / name)
    assert [*read_questions(source, "test", ["de"])] == ["de"]
    with pytest.raises(UserError, match=r"does not tell languages apart, but stands for 2 of them: de, zh") as caught:
        read_questions(source, "test", ["de", "zh"])
    assert name in caught.value.message
    assert "{language}" in caught.value.hint


@pytest.mark.parametrize("name", ["multinli_1.0_train.txt", "pairs.parquet"])
def test_one_file_of_pairs_does_not_stand_for_several_languages(tmp_path: Path, name: str) -> None:
    write_pairs(tmp_path)
    rows = [{"premise": "a", "hypothesis": "b", "label": "neutral"}]
    Dataset.from_list(rows).to_parquet(tmp_path / "pairs.parquet")
    source = str(tmp_path / name)
    with pytest.raises(UserError, match="does not tell languages apart"):
        read_pairs(source, "test", ["de", "zh"])
