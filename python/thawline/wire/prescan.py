"""Checks the shape of a msgpack frame before anything is decoded from it; mirrors src/protocol/prescan.ts.

The scan allocates nothing that grows with what a header announces, so a frame of a few bytes that promises billions of
elements costs a few microseconds. It also refuses what the two languages would read differently: duplicate keys,
`__proto__`, integers beyond 53 bits, bare NaN and infinities, binary and extension types.

A worker trusts its controller, and msgspec bounds what it decodes, so for what arrives the schemas would do. But what a
worker sends has to pass the same scan on the other side, which ends the attempt over a frame that does not: each body
is scanned once, where it was made, and the vectors of test/vectors hold both languages to the same refusals.
"""

from __future__ import annotations

import math
import struct
from typing import Final

FRAME_BYTES: Final = 64 * 1024
STRING_BYTES: Final = 16 * 1024
ARRAY_LENGTH: Final = 1024
MAP_LENGTH: Final = 256
DEPTH: Final = 8
MAX_SAFE_INTEGER: Final = 2**53 - 1


class ProtocolError(Exception):
    """Bytes or a value that the protocol does not allow; the message starts with the path, e.g. `$.body.metrics[2]`.

    `code` is one of frame_count, tag, incompatible, frame_size, msgpack, limit, schema, direction, order.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def prescan(frame: bytes) -> None:
    """Raises ProtocolError unless `frame` is exactly one msgpack map within the limits above."""
    if len(frame) > FRAME_BYTES:
        raise ProtocolError("frame_size", f"$: a frame of {len(frame)} bytes (limit {FRAME_BYTES})")
    _Scan(frame).root()


# First byte of a value with a fixed-size payload -> (size in bytes, struct format or None where any bytes will do).
_INTEGERS: Final = {
    0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_FLOATS: Final = {0xCA: ">f", 0xCB: ">d"}
_STRING_SIZES: Final = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAY_SIZES: Final = {0xDC: ">H", 0xDD: ">I"}
_MAP_SIZES: Final = {0xDE: ">H", 0xDF: ">I"}


class _Scan:
    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.offset = 0
        self.path: list[str | int] = []

    def root(self) -> None:
        if not self.frame or not (0x80 <= self.frame[0] <= 0x8F or self.frame[0] in _MAP_SIZES):
            raise self.error("msgpack", "expected a map")
        self.value()
        if self.offset != len(self.frame):
            raise self.error("msgpack", f"{len(self.frame) - self.offset} bytes after the end of the message")

    def value(self) -> None:
        head = self.take(1)[0]
        if head <= 0x7F or head >= 0xE0 or head in (0xC0, 0xC2, 0xC3):
            return
        if head <= 0x8F:
            self.map(head & 0x0F)
        elif head <= 0x9F:
            self.array(head & 0x0F)
        elif head <= 0xBF:
            self.string(head & 0x1F)
        elif head in _INTEGERS:
            if abs(int(self.number(_INTEGERS[head]))) > MAX_SAFE_INTEGER:
                raise self.error("limit", "an integer beyond 53 bits")
        elif head in _FLOATS:
            if not math.isfinite(self.number(_FLOATS[head])):
                raise self.error("schema", "a bare NaN or infinity")
        elif head in _STRING_SIZES:
            self.string(int(self.number(_STRING_SIZES[head])))
        elif head in _ARRAY_SIZES:
            self.array(int(self.number(_ARRAY_SIZES[head])))
        elif head in _MAP_SIZES:
            self.map(int(self.number(_MAP_SIZES[head])))
        else:
            raise self.error(
                "msgpack", f"type byte 0x{head:02x} (binary and extension types are not part of the protocol)"
            )

    def array(self, length: int) -> None:
        self.open("an array", length, ARRAY_LENGTH)
        for index in range(length):
            self.path.append(index)
            self.value()
            self.path.pop()

    def map(self, length: int) -> None:
        self.open("a map", length, MAP_LENGTH)
        keys: set[str] = set()
        for _ in range(length):
            key = self.key()
            if key in keys or key == "__proto__":
                raise self.error("msgpack", f"key `{key[:64]}` is {'given twice' if key in keys else 'not allowed'}")
            keys.add(key)
            self.path.append(key)
            self.value()
            self.path.pop()

    def open(self, what: str, length: int, limit: int) -> None:
        if length > limit:
            raise self.error("limit", f"{what} of {length} elements (limit {limit})")
        # The path has one entry per open container, so its length is the depth of the container around this one.
        if len(self.path) >= DEPTH:
            raise self.error("limit", f"nested deeper than {DEPTH}")

    def key(self) -> str:
        head = self.take(1)[0]
        if 0xA0 <= head <= 0xBF:
            return self.string(head & 0x1F)
        if head in _STRING_SIZES:
            return self.string(int(self.number(_STRING_SIZES[head])))
        raise self.error("msgpack", "a key that is not a string")

    def string(self, length: int) -> str:
        if length > STRING_BYTES:
            raise self.error("limit", f"a string of {length} bytes (limit {STRING_BYTES})")
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self.error("msgpack", "a string that is not UTF-8") from None

    def number(self, layout: str) -> float:
        value: float = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def take(self, size: int) -> bytes:
        end = self.offset + size
        if end > len(self.frame):
            raise self.error("msgpack", "the frame ends in the middle of a value")
        taken = self.frame[self.offset : end]
        self.offset = end
        return taken

    def error(self, code: str, problem: str) -> ProtocolError:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step[:64]}" for step in self.path)
        return ProtocolError(code, f"${''.join(steps)}: {problem}")
