"""Question answering and inference data through `datasets`: from the Hub at a pinned commit, or parquet and JSON lines.

Nothing here runs code of a data set: `datasets` 4 and later has no loading scripts, and none is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from thawline.data.text.records import (
    NO_AGREED_LABEL,
    Answer,
    Pair,
    Question,
    check_questions,
    parse_pair_label,
    wrong_questions,
)
from thawline.errors import UserError

_FORMATS = {".parquet": "parquet", ".jsonl": "json"}


@dataclass(frozen=True)
class HubSource:
    """A split of a data set on the Hub: `HubSource("google/xquad", "51adfef1...", "validation", "xquad.de")`.

    `revision` is the full hash of a commit: branches and tags can move, and a run has to say what it was trained on.
    """

    id: str
    revision: str | None
    split: str
    config: str | None = None

    def __str__(self) -> str:
        return f"{self.id}{f' ({self.config})' if self.config else ''}, split {self.split}"


@dataclass(frozen=True)
class LocalSource:
    """A parquet or JSON-lines file with the Hub's columns, or a folder of parquet files."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


def load_questions(source: HubSource | LocalSource, *, cache_folder: Path | None = None) -> list[Question]:
    """Rows with `id`, `question`, `context`, `answers {text [], answer_start []}` and, where there is one, `title`.

    Articles are runs of rows with the same title. `cache_folder` is that of `datasets`; None: its own default.
    Raises UserError: `missing_data` (not there, not reachable, no pinned revision), `wrong_data`.
    """
    dataset = _load(source, cache_folder)
    rows = _columns(dataset, source, ["id", "question", "context", "answers"])
    titles: list[str | None] = rows.get("title") or [None] * len(rows["id"])
    articles = _number_articles(titles)
    questions, places = [], []
    columns = zip(rows["id"], rows["question"], rows["context"], rows["answers"], titles, articles, strict=True)
    for row, (identifier, question, context, answers, title, article) in enumerate(columns, start=1):
        place = f"{source}, row {row}"
        questions.append(Question(identifier, question, context, _parse_answers(answers, place), article, title))
        places.append(f"{place}, question {identifier}")
    check_questions(questions, places)
    return questions


def load_pairs(source: HubSource | LocalSource, *, cache_folder: Path | None = None) -> list[Pair]:
    """Rows with `premise`, `hypothesis` and `label`: a name, or a class that the data set names.

    Labels go by name, as data sets number them differently; rows without one ("-", -1) fall out. Raises UserError like
    `load_questions`.
    """
    dataset = _load(source, cache_folder)
    rows = _columns(dataset, source, ["premise", "hypothesis", "label"])
    names: list[str] | None = getattr(dataset.features["label"], "names", None)
    pairs = []
    for row, values in enumerate(zip(rows["premise"], rows["hypothesis"], rows["label"], strict=True), start=1):
        premise, hypothesis, value = values
        name = value if names is None else (names[value] if value >= 0 else NO_AGREED_LABEL)
        if name == NO_AGREED_LABEL:
            continue
        label = parse_pair_label(name) if isinstance(name, str) else None
        if label is None:
            raise _wrong_rows(f"{source}, row {row}: {name!r} is not the name of a label")
        pairs.append(Pair(premise, hypothesis, label))
    if not pairs:
        raise _wrong_rows(f"{source} has no pair with a label")
    return pairs


def _load(source: HubSource | LocalSource, cache_folder: Path | None) -> Any:
    """A `datasets.Dataset`."""
    arguments = _hub_arguments(source) if isinstance(source, HubSource) else _local_arguments(source)
    import datasets  # type: ignore[import-untyped]

    cache_dir = None if cache_folder is None else str(cache_folder)
    try:
        return datasets.load_dataset(**arguments, cache_dir=cache_dir)
    # It raises its own errors, and those of the file system, the network and Arrow (ValueError).
    except (datasets.exceptions.DatasetsError, OSError, ValueError, RuntimeError) as error:
        reason = str(error.__cause__ or error).strip().split("\n")[0]
        raise UserError(
            "missing_data",
            f"{source} cannot be loaded ({reason})",
            hint="check its name, config, split and revision; without a network, HF_HUB_OFFLINE=1 uses what is cached",
        ) from error


def _hub_arguments(source: HubSource) -> dict[str, object]:
    if source.revision is None or not re.fullmatch(r"[0-9a-f]{40}", source.revision):
        given = "no revision" if source.revision is None else f"the revision {source.revision}"
        raise UserError(
            "missing_data",
            f"{source.id} is given with {given}, which does not fix its content",
            hint=f"give the 40 hex digits of a commit: huggingface.co/datasets/{source.id}/commits lists them",
        )
    return {"path": source.id, "name": source.config, "split": source.split, "revision": source.revision}


def _local_arguments(source: LocalSource) -> dict[str, object]:
    path = source.path
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file() or files[0].suffix not in _FORMATS:
        raise UserError(
            "missing_data",
            f"{path} is neither a .parquet or .jsonl file nor a folder with .parquet files",
            hint="SQuAD's nested .json and tab-separated .tsv have readers of their own",
        )
    return {
        "path": _FORMATS[files[0].suffix],
        "data_files": {"only": [str(file) for file in files]},
        "split": "only",
    }


def _columns(dataset: Any, source: HubSource | LocalSource, required: list[str]) -> dict[str, list[Any]]:
    for column in required:
        if column not in dataset.column_names:
            raise _wrong_rows(f'{source} has no column "{column}", but {", ".join(dataset.column_names)}')
    rows: dict[str, list[Any]] = dataset[:]
    if not rows[required[0]]:
        raise _wrong_rows(f"{source} has no row")
    # Python strings throughout: a column of numbers, or an empty cell, would fail only later and far from here.
    for column in required:
        for row, value in enumerate(rows[column], start=1):
            if column not in ("answers", "label") and not isinstance(value, str):
                raise _wrong_rows(f"{source}, row {row}: `{column}` is {value!r}, not text")
    return rows


def _parse_answers(answers: Any, place: str) -> tuple[Answer, ...]:
    try:
        return tuple(Answer(*each) for each in zip(answers["text"], answers["answer_start"], strict=True))
    except (KeyError, TypeError, ValueError) as error:
        raise wrong_questions(
            f"{place}: `answers` is not {{text: [...], answer_start: [...]}} of one length"
        ) from error


def _number_articles(titles: list[str | None]) -> list[int | None]:
    """0 for the rows of the first title, 1 for those of the next; None where there are no titles."""
    if any(title is None for title in titles):
        return [None] * len(titles)
    return [number for number, (_, run) in enumerate(groupby(titles)) for _ in run]


def _wrong_rows(message: str) -> UserError:
    return UserError(
        "wrong_data", message, hint="columns and labels are named as in rajpurkar/squad and in nyu-mll/multi_nli"
    )
