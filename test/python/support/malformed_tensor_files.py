"""Safetensors files whose header and content do not agree, or that ask for more than they hold."""

import json
import struct
from typing import Any

GOOD_ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def tensor_file(header: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    """The header as JSON, or as the bytes given; its length is the true one unless another is to be claimed."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + data


def one(size: int = 24, **changes: Any) -> bytes:
    """A file of one tensor, `a`, whose part of the header has these changes; what is None is left out."""
    entry = {key: value for key, value in (GOOD_ENTRY | changes).items() if value is not None}
    return tensor_file({"a": entry}, bytes(size))


def two(first: list[int], second: list[int], size: int = 8) -> bytes:
    """Two tensors of single bytes, at these places."""
    return tensor_file(
        {
            name: {"dtype": "U8", "shape": [place[1] - place[0]], "data_offsets": place}
            for name, place in (("a", first), ("b", second))
        },
        bytes(size),
    )


GOOD = one()
TEXT = json.dumps({"a": GOOD_ENTRY}).encode()
ENTRY = json.dumps(GOOD_ENTRY).encode()

MALFORMED_TENSOR_FILES: dict[str, bytes] = {
    # Length of the header
    "an empty file": b"",
    "three bytes": b"abc",
    "seven bytes": bytes(7),
    "a header of no bytes": tensor_file(b""),
    "a header of 2^64 - 1 bytes": tensor_file(TEXT, bytes(24), length=(1 << 64) - 1),
    "a header of 2^63 bytes": tensor_file(TEXT, bytes(24), length=1 << 63),
    "a header of 100 MB": tensor_file(TEXT, bytes(24), length=100_000_000),
    "a header of all and one byte more": tensor_file(TEXT, length=len(TEXT) + 1),
    "a header that is cut": GOOD[:20],
    "a header that claims to be shorter": tensor_file(TEXT, bytes(24), length=len(TEXT) - 1),
    "a web page": b"<html><body>404 Not Found</body></html>",
    "a pointer to the file": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
    # No JSON object of tensors
    "no UTF-8": tensor_file(b'{"\xff": {}}'),
    "no JSON": tensor_file(b"{a: 1}"),
    "a list": tensor_file([]),
    "a number": tensor_file(7),
    "null": tensor_file(None),
    "a text": tensor_file("a"),
    "a blank before it": tensor_file(b" " + TEXT, bytes(24)),
    "no end": tensor_file(TEXT[:-1], bytes(24)),
    "two objects": tensor_file(TEXT + TEXT, bytes(24)),
    "a comma too many": tensor_file(TEXT[:-1] + b",}", bytes(24)),
    "no comma": tensor_file(b'{"a": ' + ENTRY + b' "b": ' + ENTRY + b"}", bytes(24)),
    "no colon": tensor_file(b'{"a" ' + ENTRY + b"}", bytes(24)),
    "a line feed in a name": tensor_file(b'{"a\n": ' + ENTRY + b"}", bytes(24)),
    "half a surrogate pair": tensor_file(b'{"\\ud800": ' + ENTRY + b"}", bytes(24)),
    "a name without end": tensor_file(b'{"' + b"a" * 1_000_000),
    "100,000 lists in each other": tensor_file(b"[" * 100_000),
    "100,000 objects in each other": tensor_file(b'{"a":' * 100_000),
    "100,000 lists in a tensor": tensor_file(b'{"a": {"shape": ' + b"[" * 100_000),
    "a megabyte of lists in a tensor": tensor_file(b'{"a": {"shape": [' + b"[]," * 300_000 + b"[]]}}"),
    # What is said of a tensor
    "a tensor that is a list": tensor_file({"a": []}),
    "a tensor that is null": tensor_file({"a": None}),
    "a tensor of nothing": tensor_file({"a": {}}),
    "no type": one(dtype=None),
    "no shape": one(shape=None),
    "no place": one(data_offsets=None),
    "something more": one(more=1),
    "its shape twice": tensor_file(b'{"a": ' + ENTRY[:-1] + b', "shape": [2, 3]}}', bytes(24)),
    "an unknown type": one(dtype="F31"),
    "a type of half bytes": one(dtype="F4"),
    "a type that is a number": one(dtype=4),
    "a shape that is a number": one(shape=6),
    "a shape of fractions": one(shape=[2.0, 3.0]),
    "a shape of truths": one(size=4, shape=[True], data_offsets=[0, 4]),
    "a shape below zero": one(shape=[-2, -3]),
    "a shape of 2^64": one(shape=[1 << 62, 4]),
    "zero times 2^70": one(size=0, shape=[0, 1 << 70], data_offsets=[0, 0]),
    "zero times 2^62 times 2^62": one(size=0, shape=[0, 1 << 62, 1 << 62], data_offsets=[0, 0]),
    "a side of 4,000 digits": tensor_file(b'{"a": {"shape": [' + b"9" * 4000 + b"]}}"),
    "1,000 dimensions": one(size=4, shape=[1] * 1000, data_offsets=[0, 4]),
    "a shape that does not fit": one(shape=[2, 4]),
    "a type that does not fit": one(dtype="F64"),
    "three offsets": one(data_offsets=[0, 12, 24]),
    "an offset that is a text": one(data_offsets=["0", "24"]),
    "an offset below zero": one(data_offsets=[-24, 0]),
    "an end before the beginning": one(data_offsets=[24, 0]),
    "an offset of 2^64": one(data_offsets=[1 << 64, (1 << 64) + 24]),
    "minus zero": tensor_file(TEXT.replace(b"[0,", b"[-0,"), bytes(24)),
    # Where tensors are
    "content that is cut": GOOD[:-1],
    "no content": one(size=0),
    "more content": GOOD + b"x",
    "content of no tensor": tensor_file({}, b"x"),
    "a hole at the beginning": one(size=32, data_offsets=[8, 32]),
    "a hole in the middle": two([0, 3], [5, 8]),
    "an overlap": two([0, 5], [3, 8]),
    "the same place": two([0, 8], [0, 8]),
    "one within the other": two([0, 8], [2, 4]),
    "the second one behind the file": two([0, 4], [4, 12]),
    "a name twice": tensor_file(b'{"a": ' + ENTRY + b', "a": ' + ENTRY + b"}", bytes(24)),
    "a name twice, once escaped": tensor_file(b'{"a": ' + ENTRY + b', "\\u0061": ' + ENTRY + b"}", bytes(24)),
    # Metadata
    "metadata that is a list": tensor_file({"__metadata__": []}),
    "metadata that is a text": tensor_file({"__metadata__": "pt"}),
    "metadata of a number": tensor_file({"__metadata__": {"a": 1}}),
    "metadata of an object": tensor_file({"__metadata__": {"a": {}}}),
    "metadata twice": tensor_file(b'{"__metadata__": {}, "__metadata__": {}}'),
    "metadata without end": tensor_file(b'{"__metadata__": {"a": "b"'),
}
