import os
import warnings
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from text_examples import CITY, RIVER, build_tokenizer, make_question

from thawline.data.text.encoded_pairs import EncodedPairs
from thawline.data.text.records import Pair
from thawline.data.text.token_cache import cached_pairs, cached_windows
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import QuestionWindows, WindowSettings, build_windows

TOKENIZER = PairTokenizer.from_fast(build_tokenizer())
QUESTIONS = [make_question(RIVER, "Wien", id="q1"), make_question(CITY, "北京", id="q2")]
SETTINGS = WindowSettings(40, 8)


def load(folder: Path, settings: WindowSettings = SETTINGS) -> QuestionWindows:
    return cached_windows(QUESTIONS, TOKENIZER, settings, cache_folder=folder)


def assert_same(first: QuestionWindows | EncodedPairs, second: QuestionWindows | EncodedPairs) -> None:
    assert torch.equal(first.tokens.ids, second.tokens.ids)
    assert torch.equal(first.tokens.starts, second.tokens.starts)
    for field in fields(first):
        if field.name not in ("tokens", "label_names"):
            one, other = getattr(first, field.name), getattr(second, field.name)
            assert one is other is None or torch.equal(one, other)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "text").iterdir())


def test_the_second_call_reads_what_the_first_one_wrote(tmp_path: Path) -> None:
    built = build_windows(QUESTIONS, TOKENIZER, SETTINGS)
    assert_same(load(tmp_path), built)
    (path,) = files(tmp_path)
    os.utime(path, ns=(1, 1))
    assert_same(load(tmp_path), built)
    assert path.stat().st_mtime_ns == 1


def test_other_data_settings_or_tokenizers_are_other_files(tmp_path: Path) -> None:
    load(tmp_path)
    load(tmp_path, WindowSettings(41, 8))
    load(tmp_path, WindowSettings(40, 9))
    cached_windows([QUESTIONS[0]], TOKENIZER, SETTINGS, cache_folder=tmp_path)
    cached_windows(QUESTIONS, replace(TOKENIZER, sha256="0" * 64), SETTINGS, cache_folder=tmp_path)
    pairs = [Pair("a", "b", "neutral")]
    cached_pairs(pairs, TOKENIZER, cache_folder=tmp_path)
    cached_pairs(pairs, TOKENIZER, max_length=64, cache_folder=tmp_path)
    assert len(files(tmp_path)) == 7


def test_pairs_come_back_as_they_were(tmp_path: Path) -> None:
    pairs = [Pair("the river", "is in it", "neutral"), Pair("a", "b", "contradiction")]
    telling = PairTokenizer.from_fast(build_tokenizer(tells_texts_apart=True))
    for tokenizer in (TOKENIZER, telling, replace(telling, gives_segments=False)):
        first = cached_pairs(pairs, tokenizer, cache_folder=tmp_path)
        assert_same(cached_pairs(pairs, tokenizer, cache_folder=tmp_path), first)
        assert first.labels.tolist() == [1, 2]
        assert (first.segments is not None) == (tokenizer is telling)


@pytest.mark.parametrize("position", [0, 40, -1])
def test_a_damaged_file_is_made_anew(tmp_path: Path, position: int) -> None:
    built = load(tmp_path)
    (path,) = files(tmp_path)
    intact = path.read_bytes()
    damaged = bytearray(intact)
    damaged[position] ^= 1
    path.write_bytes(damaged)
    assert_same(load(tmp_path), built)
    assert path.read_bytes() == intact
    path.write_bytes(intact[: len(intact) // 2])
    assert_same(load(tmp_path), built)
    assert files(tmp_path) == [path]


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.warns(UserWarning, match="tokenised data are not cached"):
        windows = load(tmp_path / "file")
    assert_same(windows, build_windows(QUESTIONS, TOKENIZER, SETTINGS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path)
