"""The opcodes of plain data in a pickle, of protocols 0 to 5 and of Python 2 (whose texts are read as latin1)."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any, Final

from thawline.data.pickle_stack import PickleBytes, PickleStack, bounded_integer, unreadable

_NEWEST_PROTOCOL: Final = 5
_LONGEST_FLOAT: Final = 40  # more digits than repr ever gives

_UINT16: Final = struct.Struct("<H")
_UINT32: Final = struct.Struct("<I")
_INT32: Final = struct.Struct("<i")
_UINT64: Final = struct.Struct("<Q")

# What an opcode does, with the bytes behind it and with the stack.
Opcode = Callable[[PickleBytes, PickleStack], None]


def _protocol(source: PickleBytes, stack: PickleStack) -> None:
    if source.byte() > _NEWEST_PROTOCOL:
        raise unreadable("its protocol is newer than any that is known")


def _frame(source: PickleBytes, stack: PickleStack) -> None:
    length = source.number(_UINT64)
    if length > source.left:
        raise unreadable(f"a frame of {length:,} bytes is announced where {source.left:,} are left")


def _push(read: Callable[[PickleBytes], object]) -> Opcode:
    return lambda source, stack: stack.push(read(source))


def _integer_line(source: PickleBytes) -> int | bool:
    """`01` and `00` are how protocol 0 writes true and false."""
    line = source.number_line()
    if line in (b"01", b"00"):
        return line == b"01"
    digits = line.removesuffix(b"L")
    if not digits.removeprefix(b"-").isdigit():
        raise unreadable("a number is not one")
    return bounded_integer(int(digits))


def _place_line(source: PickleBytes) -> int:
    return int(_integer_line(source))


def _long(counted: Callable[[PickleBytes], bytes]) -> Opcode:
    def read(source: PickleBytes) -> int:
        # The length is looked at before a number is made of it.
        content = counted(source)
        return bounded_integer(int.from_bytes(content, "little", signed=True) if len(content) <= 8 else 1 << 64)

    return _push(read)


def _float_line(source: PickleBytes) -> float:
    try:
        return float(source.line(_LONGEST_FLOAT))
    except ValueError:
        raise unreadable("a number is not one") from None


def _text(read: Callable[[PickleBytes], bytes], decode: Callable[[bytes], str]) -> Opcode:
    def perform(source: PickleBytes, stack: PickleStack) -> None:
        try:
            stack.push(decode(read(source)))
        except ValueError:
            raise unreadable("a text is not encoded as its opcode says") from None

    return perform


def _quoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise unreadable("a text has no quotes")
    unescaped: bytes = codecs.escape_decode(line[1:-1])[0]
    return _latin1(unescaped)


def _latin1(content: bytes) -> str:
    return content.decode("latin1")


def _utf8(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


def _escaped(content: bytes) -> str:
    return content.decode("raw-unicode-escape")


def _counted(layout: struct.Struct) -> Callable[[PickleBytes], bytes]:
    return lambda source: source.counted(layout)


def _memorize(read: Callable[[PickleBytes], int | None]) -> Opcode:
    return lambda source, stack: stack.memorize(read(source))


def _recall(read: Callable[[PickleBytes], int]) -> Opcode:
    return lambda source, stack: stack.recall(read(source))


def _container(take: Callable[[PickleStack], Any]) -> Opcode:
    return lambda source, stack: stack.push_container(take(stack))


def _list_of_marked(source: PickleBytes, stack: PickleStack) -> None:
    items = stack.pop_marked()
    stack.push_container([])
    stack.append(stack.top(), items)


def _dict_of_marked(source: PickleBytes, stack: PickleStack) -> None:
    pairs = stack.pop_marked()
    stack.push_container({})
    stack.set_items(stack.top(), pairs)


def _append(take: Callable[[PickleStack], list[Any]]) -> Opcode:
    def perform(source: PickleBytes, stack: PickleStack) -> None:
        items = take(stack)
        stack.append(stack.top(), items)

    return perform


def _set_items(take: Callable[[PickleStack], list[Any]]) -> Opcode:
    def perform(source: PickleBytes, stack: PickleStack) -> None:
        pairs = take(stack)
        stack.set_items(stack.top(), pairs)

    return perform


# In the order of pickletools, which says of each what it is.
PLAIN_OPCODES: Final[dict[int, Opcode]] = {
    ord("I"): _push(_integer_line),
    ord("J"): _push(lambda source: source.number(_INT32)),
    ord("K"): _push(PickleBytes.byte),
    ord("M"): _push(lambda source: source.number(_UINT16)),
    ord("L"): _push(_integer_line),
    0x8A: _long(PickleBytes.counted_by_byte),
    0x8B: _long(_counted(_INT32)),
    ord("S"): _text(lambda source: source.line(), _quoted),
    ord("T"): _text(_counted(_INT32), _latin1),
    ord("U"): _text(PickleBytes.counted_by_byte, _latin1),
    ord("B"): _push(_counted(_UINT32)),
    ord("C"): _push(PickleBytes.counted_by_byte),
    0x8E: _push(_counted(_UINT64)),
    ord("N"): _push(lambda source: None),
    0x88: _push(lambda source: True),
    0x89: _push(lambda source: False),
    ord("V"): _text(lambda source: source.line(), _escaped),
    0x8C: _text(PickleBytes.counted_by_byte, _utf8),
    ord("X"): _text(_counted(_UINT32), _utf8),
    0x8D: _text(_counted(_UINT64), _utf8),
    ord("F"): _push(_float_line),
    ord("G"): _push(lambda source: struct.unpack(">d", source.take(8))[0]),
    ord("]"): _container(lambda stack: []),
    ord("a"): _append(lambda stack: stack.pop_last(1)),
    ord("e"): _append(lambda stack: stack.pop_marked()),
    ord("l"): _list_of_marked,
    ord(")"): _container(lambda stack: ()),
    ord("t"): _container(lambda stack: tuple(stack.pop_marked())),
    0x85: _container(lambda stack: tuple(stack.pop_last(1))),
    0x86: _container(lambda stack: tuple(stack.pop_last(2))),
    0x87: _container(lambda stack: tuple(stack.pop_last(3))),
    ord("}"): _container(lambda stack: {}),
    ord("d"): _dict_of_marked,
    ord("s"): _set_items(lambda stack: stack.pop_last(2)),
    ord("u"): _set_items(lambda stack: stack.pop_marked()),
    ord("("): lambda source, stack: stack.mark(),
    ord("g"): _recall(_place_line),
    ord("h"): _recall(PickleBytes.byte),
    ord("j"): _recall(lambda source: source.number(_UINT32)),
    ord("p"): _memorize(_place_line),
    ord("q"): _memorize(PickleBytes.byte),
    ord("r"): _memorize(lambda source: source.number(_UINT32)),
    0x94: _memorize(lambda source: None),
    0x80: _protocol,
    0x95: _frame,
}
