from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from text_examples import (
    RIVER,
    XQUAD_FILE_LANGUAGES,
    XQUAD_FOLDER,
    answer_entry,
    needs_xquad,
    squad_example,
    write_json,
)

from thawline.data.text.records import Answer
from thawline.data.text.squad import read_squad, read_squad_file, read_xquad
from thawline.errors import UserError


def error_of(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read_squad_file(path)
    return caught.value


def test_questions_come_flat_and_in_order(tmp_path: Path) -> None:
    questions = read_squad_file(write_json(tmp_path / "dev.json", squad_example()))
    assert [question.id for question in questions] == ["q1", "q2", "q3", "q4", "q5"]
    assert [question.article for question in questions] == [0, 0, 0, 1, 1]
    assert questions[3].title == "Städte"
    assert questions[4].answers == (Answer("1898", 35), Answer("in 1898", 32))


def test_a_leading_byte_order_mark_stays_in_its_context(tmp_path: Path) -> None:
    question = read_squad_file(write_json(tmp_path / "dev.json", squad_example()))[0]
    assert question.context == RIVER
    assert question.answers[0] == Answer("ドナウ川", 1)


def test_a_file_from_which_the_byte_order_marks_were_stripped_is_refused(tmp_path: Path) -> None:
    example = squad_example()
    example["data"][0]["paragraphs"][0]["context"] = RIVER.lstrip("\ufeff")
    error = error_of(write_json(tmp_path / "dev.json", example))
    assert error.code == "wrong_data"
    assert "U+FEFF" in error.hint


def spoil_answer(example: dict[str, Any]) -> None:
    example["data"][1]["paragraphs"][0]["qas"][1]["answers"][1]["answer_start"] = 0


def drop_answers(example: dict[str, Any]) -> None:
    example["data"][0]["paragraphs"][1]["qas"][0]["answers"] = []


def repeat_id(example: dict[str, Any]) -> None:
    example["data"][1]["paragraphs"][0]["qas"][0]["id"] = "q1"


def number_as_text(example: dict[str, Any]) -> None:
    example["data"][0]["paragraphs"][0]["qas"][1]["answers"][0]["answer_start"] = "19"


def drop_title(example: dict[str, Any]) -> None:
    del example["data"][1]["title"]


def drop_data(example: dict[str, Any]) -> None:
    example["data"] = []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_answer, "article 2 (\"Städte\"), paragraph 1, question q5: the answer 'in 1898' is not at character 0"),
        (drop_answers, 'article 1 ("Rivers"), paragraph 2, question q3 has no answer'),
        (repeat_id, "the question id q1 comes twice"),
        (number_as_text, "$.data[0].paragraphs[0].qas[1].answers[0].answer_start"),
        (drop_title, "missing required field `title` - at `$.data[1]`"),
        (drop_data, "has no question"),
    ],
)
def test_an_error_names_the_file_and_the_place_in_it(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], says: str
) -> None:
    example = squad_example()
    spoil(example)
    error = error_of(write_json(tmp_path / "dev.json", example))
    assert error.code == "wrong_data"
    assert str(tmp_path / "dev.json") in str(error)
    assert says in str(error)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"data": [{"title": "\xff"}]}', b"\xef\xbb\xbf{}"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dev.json").write_bytes(content)
    assert "is not SQuAD v1.1 JSON" in str(error_of(tmp_path / "dev.json"))


def test_a_missing_file_is_an_error_that_says_what_is_there(tmp_path: Path) -> None:
    write_json(tmp_path / "train-v1.1.json", squad_example())
    with pytest.raises(UserError, match=r"dev-v1\.1\.json cannot be read") as caught:
        read_squad(tmp_path, "dev")
    assert caught.value.code == "missing_data"
    assert "train-v1.1.json" in caught.value.hint


def test_squad_is_a_file_or_the_folder_of_the_published_files(tmp_path: Path) -> None:
    path = write_json(tmp_path / "train-v1.1.json", squad_example())
    assert read_squad(tmp_path, "train") == read_squad(path, "dev") == read_squad_file(path)


def translated() -> dict[str, Any]:
    example = squad_example()
    context = "Der Bau war 1843."
    example["data"][0]["paragraphs"][1]["context"] = context
    example["data"][0]["paragraphs"][1]["qas"][0]["answers"] = [answer_entry(context, "1843")]
    return example


def test_xquad_has_the_same_questions_in_every_language(tmp_path: Path) -> None:
    write_json(tmp_path / "xquad.en.json", squad_example())
    write_json(tmp_path / "xquad.de.json", translated())
    read = read_xquad(tmp_path, ["en", "de"])
    assert [*read] == ["en", "de"]
    assert read["de"][2].answers == (Answer("1843", 12),)


def test_xquad_languages_that_differ_are_refused(tmp_path: Path) -> None:
    swapped = squad_example()
    swapped["data"].reverse()
    write_json(tmp_path / "xquad.en.json", squad_example())
    write_json(tmp_path / "xquad.de.json", swapped)
    with pytest.raises(UserError, match=r"xquad\.de\.json has other articles or question ids than xquad\.en\.json"):
        read_xquad(tmp_path, ["en", "de"])


@needs_xquad
def test_the_real_xquad_is_complete_in_twelve_languages() -> None:
    read = read_xquad(XQUAD_FOLDER, XQUAD_FILE_LANGUAGES)
    marks = {
        language: len({question.context for question in questions if question.context.startswith("\ufeff")})
        for language, questions in read.items()
    }
    for questions in read.values():
        assert len(questions) == 1190
        assert {question.article for question in questions} == {*range(48)}
        assert {len(question.answers) for question in questions} == {1}
    expected = {"en": 0, "ar": 9, "de": 6, "el": 7, "es": 2, "hi": 8, "ro": 0, "ru": 7, "th": 7, "tr": 5}
    assert marks == {**expected, "vi": 2, "zh": 6}
