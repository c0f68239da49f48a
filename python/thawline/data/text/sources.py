"""Where a configuration says that questions or sentence pairs are, read: files as published, or `datasets`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from thawline.config.text_data import HubSourceConfig, SourceConfig
from thawline.data.text.hub import HubSource, LocalSource, load_pairs, load_questions
from thawline.data.text.mlqa import read_mlqa
from thawline.data.text.nli import has_languages, read_mnli, read_xnli
from thawline.data.text.records import Pair, Question
from thawline.data.text.squad import read_squad, read_squad_file
from thawline.errors import UserError

Role = Literal["train", "development", "test"]

_TABLES = (".parquet", ".jsonl")


def read_questions(source: SourceConfig, role: Role, languages: Sequence[str]) -> dict[str, list[Question]]:
    """Questions by language, whose code stands in for `{language}`, and picks a file in a folder that holds one each.

    A path is a file in SQuAD's JSON, a parquet or JSON-lines file, or a folder: of SQuAD (`train-v1.1.json`), XQuAD
    (`xquad.de.json`), MLQA (`MLQA_V1`), or with parquet files. Raises UserError: what the readers raise, and
    `wrong_data` for several languages where all of them would be the same file.
    """
    if isinstance(source, HubSourceConfig):
        return {language: load_questions(_hub_source(source, language)) for language in languages}
    if not _has_file_of_each_language(Path(source)):
        _check_languages(source, languages)
    return {language: _read_questions_of(_path(source, language), role, language) for language in languages}


def _read_questions_of(path: Path, role: Role, language: str) -> list[Question]:
    if path.suffix in _TABLES or (path.is_dir() and any(path.glob("*.parquet"))):
        return load_questions(LocalSource(path))
    if not path.is_dir():
        return read_squad_file(path)
    if _is_xquad(path):
        return read_squad_file(path / f"xquad.{language}.json")
    if _is_mlqa(path):
        return read_mlqa(path, "test" if role == "test" else "dev", language)
    return read_squad(path, "train" if role == "train" else "dev")


def read_pairs(source: SourceConfig, role: Role, languages: Sequence[str]) -> dict[str, list[Pair]]:
    """Pairs by language; as for `read_questions`, `{language}` is a language's code.

    A path is a table of MultiNLI or XNLI, a parquet or JSON-lines file, or a folder: of MultiNLI
    (`multinli_1.0_train.txt`), XNLI (`xnli.test.tsv`), or with parquet files. Raises UserError like `read_questions`.
    """
    if isinstance(source, HubSourceConfig):
        return {language: load_pairs(_hub_source(source, language)) for language in languages}
    if "{language}" not in source and (xnli := _xnli_file(Path(source), role)) is not None:
        return read_xnli(xnli, "test" if role == "test" else "dev", languages)
    _check_languages(source, languages)
    return {language: _read_pairs_in(_path(source, language), role) for language in languages}


def _is_xquad(path: Path) -> bool:
    return any(path.glob("xquad.*.json"))


def _is_mlqa(path: Path) -> bool:
    return (path / "MLQA_V1").is_dir() or (path / "test").is_dir()


def _has_file_of_each_language(path: Path) -> bool:
    return _is_xquad(path) or _is_mlqa(path)


def _check_languages(path: str, languages: Sequence[str]) -> None:
    """One file would pass for each of the languages, with scores that look like theirs."""
    if len(languages) < 2 or "{language}" in path or not Path(path).exists():
        return
    raise UserError(
        "wrong_data",
        f"{path} does not tell languages apart, but stands for {len(languages)} of them: {', '.join(languages)}",
        hint="write `{language}` in the path where the code of a language belongs, or list its one language in "
        "`languages`",
    )


def _read_pairs_in(path: Path, role: Role) -> list[Pair]:
    if path.suffix in _TABLES or (path.is_dir() and any(path.glob("*.parquet"))):
        return load_pairs(LocalSource(path))
    return read_mnli(path, "train" if role == "train" else "dev_matched")


def _xnli_file(path: Path, role: Role) -> Path | None:
    """The table of all languages that `path` is or holds, if it does."""
    if path.is_dir():
        file = path / ("xnli.test.tsv" if role == "test" else "xnli.dev.tsv")
        return file if role != "train" and file.is_file() else None
    return path if path.is_file() and path.suffix not in _TABLES and has_languages(path) else None


def _hub_source(source: HubSourceConfig, language: str) -> HubSource:
    config = None if source.config is None else source.config.replace("{language}", language)
    return HubSource(source.hub, source.revision, source.split, config)


def _path(path: str, language: str) -> Path:
    return Path(path.replace("{language}", language))
