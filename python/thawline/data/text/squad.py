"""SQuAD v1.1 JSON, the format of SQuAD, XQuAD and MLQA: articles, their paragraphs, and questions on each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from thawline.data.text.records import Answer, Question, check_questions, wrong_questions
from thawline.errors import UserError


class _Answer(msgspec.Struct):
    text: str
    answer_start: int


class _Question(msgspec.Struct):
    id: str
    question: str
    answers: list[_Answer]


class _Paragraph(msgspec.Struct):
    context: str
    qas: list[_Question]


class _Article(msgspec.Struct):
    title: str
    paragraphs: list[_Paragraph]


class _File(msgspec.Struct):
    data: list[_Article]


def read_squad(path: Path, split: Literal["train", "dev"]) -> list[Question]:
    """SQuAD v1.1: `path` is a file, or the folder that holds `train-v1.1.json` and `dev-v1.1.json`.

    Raises UserError like `read_squad_file`.
    """
    return read_squad_file(path / f"{split}-v1.1.json" if path.is_dir() else path)


def read_xquad(folder: Path, languages: Sequence[str]) -> dict[str, list[Question]]:
    """Questions by language, from `folder/xquad.<language>.json`.

    All languages have the same articles and question ids in the same order, so that one split by article holds in all
    of them. Raises UserError like `read_squad_file`, and `wrong_data` for languages that differ.
    """
    assert languages
    read = {language: read_squad_file(folder / f"xquad.{language}.json") for language in languages}
    first = languages[0]
    for language in languages[1:]:
        if _layout(read[language]) != _layout(read[first]):
            raise wrong_questions(
                f"{folder / f'xquad.{language}.json'} has other articles or question ids than xquad.{first}.json"
            )
    return read


def read_squad_file(path: Path) -> list[Question]:
    """All questions of one file, in its order, each with at least one answer that is checked against its context.

    Raises UserError: `missing_data`, `wrong_data` (not this format, an answer that is elsewhere, an id twice).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise missing_file(path, error) from error
    try:
        file = msgspec.json.decode(content, type=_File)
    # msgspec.ValidationError says where ("at `$.data[0].title`"); other damage is a DecodeError or not UTF-8.
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise wrong_questions(f"{path} is not SQuAD v1.1 JSON ({error})") from error
    questions, places = _flatten(file, path)
    if not questions:
        raise wrong_questions(f"{path} has no question")
    check_questions(questions, places)
    return questions


def _flatten(file: _File, path: Path) -> tuple[list[Question], list[str]]:
    """The questions, and where each of them stands, counted from 1."""
    questions, places = [], []
    for i, article in enumerate(file.data):
        for j, paragraph in enumerate(article.paragraphs):
            for entry in paragraph.qas:
                answers = tuple(Answer(answer.text, answer.answer_start) for answer in entry.answers)
                questions.append(Question(entry.id, entry.question, paragraph.context, answers, i, article.title))
                places.append(f'{path}, article {i + 1} ("{article.title}"), paragraph {j + 1}, question {entry.id}')
    return questions, places


def _layout(questions: list[Question]) -> list[tuple[int | None, str]]:
    return [(question.article, question.id) for question in questions]


def missing_file(path: Path, error: OSError) -> UserError:
    beside = sorted(entry.name for entry in path.parent.iterdir())[:8] if path.parent.is_dir() else []
    return UserError(
        "missing_data",
        f"{path} cannot be read ({error.strerror})",
        hint=f"its folder holds {', '.join(beside)}" if beside else f"there is no file in a folder {path.parent}",
    )
