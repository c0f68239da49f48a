from pathlib import Path

import pytest
from text_examples import squad_example, write_json

from thawline.data.text.mlqa import read_mlqa
from thawline.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """MLQA_V1 with one file whose questions are Spanish ones, so that mixed-up languages show."""
    write_json(tmp_path / "MLQA_V1/test/test-context-de-question-de.json", squad_example())
    mixed = squad_example()
    mixed["data"][0]["paragraphs"][1]["qas"][0]["question"] = "¿Quién?"
    write_json(tmp_path / "MLQA_V1/test/test-context-de-question-es.json", mixed)
    return tmp_path


def test_the_question_has_the_language_of_its_context(folder: Path) -> None:
    assert read_mlqa(folder / "MLQA_V1", "test", "de")[2].question == "What about q3?"


def test_the_folder_may_be_the_one_that_the_archive_was_unpacked_into(folder: Path) -> None:
    assert read_mlqa(folder, "test", "de") == read_mlqa(folder / "MLQA_V1", "test", "de")


def test_a_missing_language_is_named(folder: Path) -> None:
    with pytest.raises(UserError, match=r"test-context-es-question-es\.json cannot be read"):
        read_mlqa(folder, "test", "es")
    with pytest.raises(UserError, match="dev-context-de-question-de") as caught:
        read_mlqa(folder, "dev", "de")
    assert caught.value.code == "missing_data"
