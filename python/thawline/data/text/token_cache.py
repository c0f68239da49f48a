"""Tokenised data on disk: made once for the many runs of a sweep, and read in milliseconds.

One safetensors file each, whose header says what it was made from and the SHA-256 of its tensors; both are verified on
every load, and what is missing, different or damaged is made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from thawline.data.text.encoded_pairs import EncodedPairs, encode_pairs
from thawline.data.text.records import Pair, Question, records_sha256
from thawline.data.text.token_rows import TokenRows
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import QuestionWindows, WindowSettings, build_windows
from thawline.storage.cache import load_or_make, replacing
from thawline.storage.weights import row_major_bytes
from thawline.tensor_files import damage_of_file

FORMAT = 1  # raised whenever the same description would be tokenised differently


def cached_windows(
    questions: Sequence[Question], tokenizer: PairTokenizer, settings: WindowSettings, *, cache_folder: Path
) -> QuestionWindows:
    """`build_windows(questions, tokenizer, settings)`, from the cache if it is there and intact."""

    def make() -> dict[str, Tensor]:
        windows = build_windows(questions, tokenizer, settings)
        return {
            "ids": windows.tokens.ids,
            "starts": windows.tokens.starts,
            "offsets": windows.offsets,
            "questions": windows.questions,
            "start_positions": windows.start_positions,
            "end_positions": windows.end_positions,
        }

    description = _describe("windows", records_sha256(questions), tokenizer, **settings._asdict())
    tensors = _cached(description, make, cache_folder)
    tokens = TokenRows(tensors.pop("ids"), tensors.pop("starts"))
    return QuestionWindows(tokens, **tensors)


def cached_pairs(
    pairs: Sequence[Pair], tokenizer: PairTokenizer, *, max_length: int = 128, cache_folder: Path
) -> EncodedPairs:
    """`encode_pairs(pairs, tokenizer, max_length=max_length)`, from the cache if it is there and intact."""

    def make() -> dict[str, Tensor]:
        encoded = encode_pairs(pairs, tokenizer, max_length=max_length)
        tensors = {"ids": encoded.tokens.ids, "starts": encoded.tokens.starts, "labels": encoded.labels}
        return tensors if encoded.segments is None else {**tensors, "segments": encoded.segments}

    # Only where they matter: what was cached before there were any is still right where they do not.
    segments = {"segments": 1} if tokenizer.gives_segments else {}
    description = _describe("pairs", records_sha256(pairs), tokenizer, max_length=max_length, **segments)
    tensors = _cached(description, make, cache_folder)
    return EncodedPairs(TokenRows(tensors["ids"], tensors["starts"]), tensors["labels"], tensors.get("segments"))


def _describe(kind: str, data_sha256: str, tokenizer: PairTokenizer, **parameters: int) -> str:
    description = {"format": FORMAT, "kind": kind, "data_sha256": data_sha256, "tokenizer_sha256": tokenizer.sha256}
    return json.dumps({**description, **parameters}, sort_keys=True)


def _cached(description: str, make: Callable[[], dict[str, Tensor]], cache_folder: Path) -> dict[str, Tensor]:
    return load_or_make(
        cache_folder / "text" / f"{hashlib.sha256(description.encode()).hexdigest()[:24]}.safetensors",
        what="tokenised data",
        load=lambda path: _load(path, description),
        make=make,
        store=lambda path, tensors: _store(path, description, tensors),
    )


def _load(path: Path, description: str) -> dict[str, Tensor] | None:
    """The cached tensors, or None if the file does not prove that these are the ones described."""
    if damage_of_file(path) is not None:
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return tensors if metadata == _metadata(description, tensors) else None


def _store(path: Path, description: str, tensors: dict[str, Tensor]) -> None:
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata=_metadata(description, tensors))


def _metadata(description: str, tensors: dict[str, Tensor]) -> dict[str, str]:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}\n{tensor.dtype}\n{list(tensor.shape)}\n".encode())
        digest.update(row_major_bytes(tensor))
    # One entry: safetensors writes several in any order, and the same data should be the same file.
    return {"made_from": json.dumps([description, digest.hexdigest()])}
