"""MLQA as published: one SQuAD JSON file for each split and pair of languages."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from thawline.data.text.records import Question
from thawline.data.text.squad import read_squad_file


def read_mlqa(folder: Path, split: Literal["dev", "test"], language: str) -> list[Question]:
    """Questions and contexts in one language, as in cross-lingual transfer.

    `folder` is `MLQA_V1`, or the folder that it was unpacked into. Raises UserError like `read_squad_file`.
    """
    unpacked = folder / "MLQA_V1"
    root = unpacked if unpacked.is_dir() else folder
    return read_squad_file(root / split / f"{split}-context-{language}-question-{language}.json")
