"""Safetensors files, looked over before anything is made of what they say.

Format: eight bytes with the length n of the header; n bytes of JSON, `{"name": {"dtype": "F32", "shape": [2, 3],
"data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text"}}`; the tensors, without gaps, from the end of the header.
"""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from thawline.errors import UserError, visible

if TYPE_CHECKING:
    from torch import Tensor

# A network of 100,000 parameters with two states of the optimizer for each, under names of 100 letters.
MAX_HEADER_BYTES: Final = 64 * 1024 * 1024
MAX_TENSORS: Final = 300_000
_MAX_ENTRY: Final = 4096  # letters of what is said of one tensor
_MAX_DIMENSIONS: Final = 64  # of a tensor in PyTorch
_METADATA: Final = "__metadata__"
_OF_PAIRS: Final = json.JSONDecoder(object_pairs_hook=list)
_OF_TEXTS: Final = json.JSONDecoder()
_BLANK: Final = re.compile(r"[ \t\r\n]*")

# Those that PyTorch reads.
_BYTES_OF_TYPE: Final = {
    **dict.fromkeys(["BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"], 1),
    **dict.fromkeys(["U16", "I16", "F16", "BF16"], 2),
    **dict.fromkeys(["U32", "I32", "F32"], 4),
    **dict.fromkeys(["U64", "I64", "F64", "C64"], 8),
}


class _Malformed(Exception):
    """Why a file is none, as half a sentence."""


class _Place(NamedTuple):
    """Where the bytes of a tensor are, from the end of the header; in the order of places in the file."""

    begin: int
    end: int
    name: str


def load_tensors(path: Path, *, code: str, hint: str) -> dict[str, Tensor]:
    """The tensors of a file by name, on the CPU.

    Raises UserError `code` with `hint`, naming the file, for one that is malformed, before any of it is loaded.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    why = damage_of_file(path)
    if why is None:
        try:
            tensors: dict[str, Tensor] = load_file(path)
            return tensors
        except SafetensorError as error:
            why = f"safetensors refuses it ({error})"
    raise UserError(code, f"`{path}` is no file of tensors that can be read: {why}", hint)


def damage_of_file(path: Path) -> str | None:
    """Why the file is no safetensors file, as half a sentence; None if it is one.

    Reads the header alone, whose length is bounded.
    """
    if path.exists() and not path.is_file():
        return "it is no file"
    try:
        with path.open("rb") as file:
            return _damage(file, path.stat().st_size)
    except OSError as error:
        return f"it cannot be opened ({error.strerror})"


def damage_of_bytes(content: bytes) -> str | None:
    """Likewise of the content of such a file."""
    return _damage(io.BytesIO(content), len(content))


def _damage(file: BinaryIO, size: int) -> str | None:
    try:
        header = _header(file, size)
        _require_whole(sorted(_places(header)), size - 8 - len(header))
    except _Malformed as error:
        return str(error)
    return None


def _header(file: BinaryIO, size: int) -> bytes:
    if size < 8:
        raise _Malformed("it is empty" if size == 0 else f"it has {size} bytes, not even the length of its header")
    (length,) = struct.unpack("<Q", file.read(8))
    if length > size - 8:
        raise _Malformed(f"its header of {length:,} bytes is longer than what is left of the file, {size - 8:,} bytes")
    if length > MAX_HEADER_BYTES:
        raise _Malformed(f"its header has {length:,} bytes, more than {MAX_HEADER_BYTES:,}")
    return file.read(length)


def _places(header: bytes) -> Iterator[_Place]:
    try:
        text = header.decode()
    except UnicodeDecodeError:
        raise _Malformed("its header is no UTF-8") from None
    if not text.startswith("{"):
        raise _Malformed("its header is no JSON object")
    names: set[str] = set()
    position = _blank(text, 1)
    while text[position : position + 1] != "}":
        if names:
            position = _mark(text, position, ",")
        name, position = _text(text, position)
        if name in names:
            raise _Malformed(f"its header names {_shown(name)} twice")
        if len(names) >= MAX_TENSORS:
            raise _Malformed(f"it has more than {MAX_TENSORS:,} tensors")
        names.add(name)
        position = _mark(text, position, ":")
        if name == _METADATA:
            position = _pass_metadata(text, position)
        else:
            place, position = _entry(text, position, name)
            yield place
        position = _blank(text, position)
    if _blank(text, position + 1) != len(text):
        raise _Malformed("something follows the JSON of its header")


def _entry(text: str, position: int, name: str) -> tuple[_Place, int]:
    """One tensor's part of the header. Nothing in it has braces, so it is known how long it is before it is parsed."""
    end = text.find("}", position, position + _MAX_ENTRY) + 1
    try:
        pairs: list[tuple[str, Any]] = _OF_PAIRS.decode(text[position:end])
    except (ValueError, RecursionError):
        raise _Malformed(f"what its header says of {_shown(name)} is no short JSON object") from None
    match sorted(pairs, key=lambda pair: pair[0]):
        case [("data_offsets", [begin, stop]), ("dtype", str() as element), ("shape", list() as shape)]:
            pass
        case _:
            raise _Malformed(f"its header says of {_shown(name)} not just `dtype`, `shape` and `data_offsets`")
    # `-0` is one to Python and none to safetensors.
    if any(type(number) is not int or number < 0 for number in [begin, stop, *shape]) or "-" in text[position:end]:
        raise _Malformed(f"its header gives {_shown(name)} a shape or place that is no whole number")
    if element not in _BYTES_OF_TYPE:
        raise _Malformed(f"{_shown(name)} has the type {_shown(element)}, which PyTorch does not read")
    if len(shape) > _MAX_DIMENSIONS or prod(side or 1 for side in shape) >= 2**60:
        raise _Malformed(f"{_shown(name)} has a shape that no tensor has")
    if stop - begin != prod(shape) * _BYTES_OF_TYPE[element]:
        raise _Malformed(f"the shape of {_shown(name)} does not fit its place in the file")
    return _Place(begin, stop, name), end


def _require_whole(places: list[_Place], length: int) -> None:
    """Raises unless the tensors fill the file behind its header, without gaps, each in a place of its own."""
    reached = 0
    for place in places:
        if place.end > length:
            raise _Malformed(f"{_shown(place.name)} ends after the file: it is cut short")
        if place.begin != reached:
            what = "overlaps another tensor" if place.begin < reached else "begins after a gap"
            raise _Malformed(f"{_shown(place.name)} {what}")
        reached = place.end
    if reached != length:
        raise _Malformed(f"{length - reached:,} bytes at its end belong to no tensor")


def _pass_metadata(text: str, position: int) -> int:
    """Behind an object of texts, at `position`."""
    position = _blank(text, _mark(text, position, "{"))
    first = True
    while text[position : position + 1] != "}":
        if not first:
            position = _mark(text, position, ",")
        first = False
        _, position = _text(text, position)
        _, position = _text(text, _mark(text, position, ":"))
        position = _blank(text, position)
    return position + 1


def _text(text: str, position: int) -> tuple[str, int]:
    """The JSON text at `position`, and where it ends."""
    if text[position : position + 1] != '"':
        raise _Malformed("its header is no JSON object of the form that it should have")
    try:
        value, end = _OF_TEXTS.raw_decode(text, position)
        value.encode()  # an escaped half of a surrogate pair is no text
    except ValueError:
        raise _Malformed("its header is no JSON") from None
    return value, end


def _mark(text: str, position: int, mark: str) -> int:
    """Behind the mark, which comes next, and what is blank around it."""
    position = _blank(text, position)
    if text[position : position + 1] != mark:
        raise _Malformed("its header is no JSON object of the form that it should have")
    return _blank(text, position + 1)


def _blank(text: str, position: int) -> int:
    """Behind what is blank at `position`."""
    return position + len(_BLANK.match(text, position)[0])  # type: ignore[index]


def _shown(name: str) -> str:
    return f"`{visible(name[:80])}`"
