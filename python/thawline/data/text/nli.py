"""MultiNLI and XNLI as published, tab-separated without quoting, and pairs of one's own, also as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from thawline.data.text.records import NO_AGREED_LABEL, PAIR_LABELS, Pair, parse_pair_label
from thawline.data.text.squad import missing_file
from thawline.errors import UserError, visible

# By name: MultiNLI, GLUE's copy of it and XNLI have the same columns at other places, its translations other names, and
# tables of one's own the names of the paper.
_COLUMNS = (("sentence1", "premise"), ("sentence2", "hypo", "hypothesis"), ("gold_label", "label"))

MnliSplit = Literal["train", "dev_matched", "dev_mismatched"]


class _Line(NamedTuple):
    place: str
    values: tuple[str, ...]


def read_mnli(path: Path, split: MnliSplit) -> list[Pair]:
    """The pairs that have a label; `path` is a file, or the folder that holds `multinli_1.0_<split>.txt`.

    A file may also be GLUE's `train.tsv` or `dev_*.tsv`, a translation `multinli.train.<language>.tsv` of XNLI, or a
    table with the columns premise, hypothesis and label: tab-separated, or comma-separated with quoting (`.csv`).
    Raises UserError: `missing_data`, `wrong_data` (other columns, a line that is too short, an unknown label).
    """
    file = path / f"multinli_1.0_{split}.txt" if path.is_dir() else path
    pairs = [pair for line in _lines(file, _COLUMNS) if (pair := _parse_pair(*line.values, place=line.place))]
    if not pairs:
        raise _wrong_data(f"{file} has no pair with a label")
    return pairs


def read_xnli(path: Path, split: Literal["dev", "test"], languages: Sequence[str]) -> dict[str, list[Pair]]:
    """Pairs by language; `path` is a file, or the folder that holds `xnli.<split>.tsv`, all languages in one.

    Raises UserError like `read_mnli`, and `wrong_data` for a language that the file does not have.
    """
    file = path / f"xnli.{split}.tsv" if path.is_dir() else path
    pairs: dict[str, list[Pair]] = {language: [] for language in languages}
    for place, (language, *values) in _lines(file, (("language",), *_COLUMNS)):
        if language in pairs and (pair := _parse_pair(*values, place=place)):
            pairs[language].append(pair)
    for language, found in pairs.items():
        if not found:
            raise _wrong_data(f'{file} has no pair in the language "{language}"')
    return pairs


def has_languages(path: Path) -> bool:
    """Whether the file is XNLI's table of all languages. Raises UserError like `read_mnli`."""
    return "language" in _header(path)


def _parse_pair(premise: str, hypothesis: str, name: str, *, place: str) -> Pair | None:
    if name == NO_AGREED_LABEL:
        return None
    label = parse_pair_label(name)
    if label is None:
        raise _wrong_data(f'{place}: the label "{visible(name)}" is none of {", ".join(PAIR_LABELS)}')
    return Pair(premise, hypothesis, label)


def _header(path: Path) -> list[str]:
    return next(_rows(path), (1, [""]))[1]


def _lines(path: Path, columns: Sequence[Sequence[str]]) -> Iterator[_Line]:
    """The values of `columns`, each by one of its names, in each line after the header.

    Other columns may be absent at a line's end.
    """
    rows = _rows(path)
    _, header = next(rows, (1, [""]))
    indices = []
    for names in columns:
        found = [header.index(name) for name in names if name in header]
        if not found:
            among = ", ".join(map(visible, header))
            raise _wrong_data(f'{path}, line 1: there is no column "{names[0]}" among {among}')
        indices.append(found[0])
    for number, values in rows:
        place = f"{path}, line {number}"
        if not max(indices) < len(values) <= len(header):
            raise _wrong_data(f"{place} has {len(values)} columns, the header {len(header)}")
        yield _Line(place, tuple(values[index] for index in indices))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of a row's last line, and its values; a byte order mark in front belongs to no column."""
    try:
        # Only a line feed ends a line: sentences hold U+0085 and U+2028, which str.splitlines would cut at.
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.reader(file, strict=True)
                yield from ((reader.line_num, values) for values in reader if values)
            else:
                yield from ((number, line.rstrip("\r\n").split("\t")) for number, line in enumerate(file, start=1))
    except csv.Error as error:
        raise _wrong_data(f"{path}, line {reader.line_num} is not comma-separated with quoting ({error})") from error
    except OSError as error:
        raise missing_file(path, error) from error
    except UnicodeDecodeError as error:
        raise _wrong_data(f"{path} is not UTF-8 text ({error})") from error


def _wrong_data(message: str) -> UserError:
    return UserError(
        "wrong_data",
        message,
        hint="use the published file as it is, tab-separated with its header and without quoting, or a table of your "
        "own with the columns premise, hypothesis and label: .tsv, .csv, .jsonl or .parquet",
    )
