"""MLQA as published: one SQuAD JSON file for each split and pair of languages."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from thawline.data.text.records import Question
from thawline.data.text.squad import read_squad_file


def read_mlqa(
    folder: Path, split: Literal["dev", "test"], context_language: str, question_language: str | None = None
) -> list[Question]:
    """Questions in `question_language` (None: the context's, as in cross-lingual transfer) over contexts in another.

    `folder` is `MLQA_V1`, or the folder that it was unpacked into. Answers are spans of the context, so the language to
    score them in is `context_language`. Raises UserError like `read_squad_file`.
    """
    unpacked = folder / "MLQA_V1"
    root = unpacked if unpacked.is_dir() else folder
    question_language = question_language or context_language
    return read_squad_file(root / split / f"{split}-context-{context_language}-question-{question_language}.json")
