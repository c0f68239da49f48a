"""Pickles that ask for more than they hold, say what they do not mean, or are cut: none is plain data."""

import pickle
import struct

import numpy as np

MEGABYTE = 1 << 20
CLASS = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
DTYPE = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
ENCODE = b"c_codecs\nencode\n"
EMPTY_ARRAY = RECONSTRUCT + CLASS + b"K\x00\x85U\x01b\x87R"


def number(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


def text(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def array(shape: bytes, data: bytes, dtype: bytes = DTYPE, fortran: bytes = b"\x89") -> bytes:
    return EMPTY_ARRAY + tuple_of(b"K\x01", shape, dtype, fortran, data) + b"b"


def byte_text(content: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(content)) + content


PLAIN = pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]}, 2)

_MEMO = {
    "number 2^26": b"Nr\x00\x00\x00\x04",
    "number 2^32 - 1": b"Nr\xff\xff\xff\xff",
    "number in decimal": b"Np1000000000\n",
    "number of 20 digits": b"Np99999999999999999999\n",
    "number below zero": b"Np-1\n",
    "number 255 after few opcodes": b"Nq\xff",
    "number of nothing": b"q\x00",
    "next number of nothing": b"\x94",
    "unknown number": b"h\x07",
    "unknown long number": b"j\xff\xff\xff\xff",
    "unknown number in decimal": b"g7\n",
}
_LENGTHS = {
    "text of 2^31 - 1 bytes": b"T\xff\xff\xff\x7fx",
    "text of -1 bytes": b"T\xff\xff\xff\xffx",
    "text of 255 bytes": b"U\xffx",
    "text of 2^32 - 1 bytes": b"X\xff\xff\xff\xffx",
    "short text of 255 bytes": b"\x8c\xffx",
    "text of 2^63 bytes": b"\x8d" + struct.pack("<Q", 1 << 63),
    "bytes of 2^32 - 1": b"B\xff\xff\xff\xffx",
    "bytes of 255": b"C\xffx",
    "bytes of 2^64 - 1": b"\x8e" + struct.pack("<Q", (1 << 64) - 1),
    "number of 2^31 - 1 bytes": b"\x8b\xff\xff\xff\x7f\x01",
    "number of -1 bytes": b"\x8b\xff\xff\xff\xff\x01",
    "number of 255 bytes, cut": b"\x8a\xff\x01",
    "frame of 2^64 - 1": b"\x95" + struct.pack("<Q", (1 << 64) - 1) + b"N",
    "frame one too long": b"\x95" + struct.pack("<Q", 3) + b"N",
    "line without end": b"S'" + b"a" * MEGABYTE,
}
_NUMBERS = {
    "number of 65 bits": number(1 << 64),
    "number below -2^63": number(-(1 << 63) - 1),
    "number of a megabyte": b"\x8b" + struct.pack("<i", MEGABYTE) + b"\x7f" * MEGABYTE,
    "number of 5,000 digits": b"L" + b"9" * 5000 + b"L\n",
    "number of a million digits": b"I" + b"9" * 1_000_000 + b"\n",
    "number with underscores": b"I1_0\n",
    "number that is none": b"Iten\n",
    "fraction of 100,000 digits": b"F" + b"1" * 100_000 + b"\n",
    "fraction that is none": b"Fhalf\n",
}
_TEXTS = {
    "no UTF-8": text(b"\xff\xfe"),
    "half an escape": b"V\\u12\n",
    "no quotes": b"Sabc\n",
    "one quote": b"S'\n",
    "half a hex escape": b"S'\\x1'\n",
}
_STACK = {
    "nothing": b"",
    "an item without a list": b"Na",
    "an item for a dict": b"}Na",
    "an entry for a list": b"]NNs",
    "items without a mark": b"]Ne",
    "three of two": b"NN\x87",
    "two of one behind a mark": b"N(N\x86",
    "100 marks": b"(" * 100,
    "300,000 values": b"N" * 300_000,
    "50,000 lists": b"]" * 50_000,
    "20,000 dicts": b"}" * 20_000,
    "depth 1,000": b"N" + b"\x85" * 1000,
    "depth 30 by lists": b"]" * 30 + b"a" * 29,
    "a list in itself": b"]q\x00h\x00a",
    "a dict in itself": b"}q\x00" + text(b"x") + b"h\x00s",
    "a list that grows within another": b"]]q\x01ah\x01h\x01Na",
    "a key without a value": b"}(" + text(b"x") + b"u",
    "numbers as keys": b"}(K\x01K\x02u",
    "a list as key": b"}]Ns",
    "a tuple as key": b"}N\x85Ns",
}
_ARRAYS = {
    "shape of 2^64 bytes": array(tuple_of(number(1 << 32), number(1 << 32)), b"U\x00"),
    "shape of 2^40 bytes": array(tuple_of(number(1 << 40)), b"U\x01x"),
    "shape longer than its bytes": array(tuple_of(b"K\x05"), b"U\x04abcd"),
    "shape shorter than its bytes": array(tuple_of(b"K\x03"), b"U\x04abcd"),
    "side below zero": array(tuple_of(b"J\xff\xff\xff\xff", b"J\xff\xff\xff\xff"), b"U\x01x"),
    "side that is a fraction": array(tuple_of(b"G\x3f\xf0\x00\x00\x00\x00\x00\x00"), b"U\x01x"),
    "zero times 2^62 times 2^62": array(tuple_of(b"K\x00", number(1 << 62), number(1 << 62)), b"U\x00"),
    "100 dimensions": array(tuple_of(*[b"K\x01"] * 100), b"U\x01x"),
    "shape that is no tuple": array(b"K\x01", b"U\x01x"),
    "objects for bytes": array(tuple_of(b"K\x01"), b"]Na"),
    "letters above 255": array(tuple_of(b"K\x01"), text("€".encode())),
    "no type": array(tuple_of(b"K\x01"), b"U\x01x", dtype=b"N"),
    "state of three": EMPTY_ARRAY + tuple_of(b"K\x01", tuple_of(b"K\x00"), DTYPE) + b"b",
    "state of a list": b"]Nb",
    "fractions": pickle.dumps(np.array([1.5]), 2)[:-1],
    "objects": pickle.dumps(np.array([[1]], dtype=object), 2)[:-1],
    "another class": RECONSTRUCT + b"K\x01K\x00\x85U\x01b\x87R",
    "the same text, 10,000 times bytes": b"]("
    + text(b"a" * MEGABYTE)
    + b"q\x01"
    + (ENCODE + b"q\x02" + b"h\x01U\x06latin1\x86q\x03R")
    + b"h\x02h\x03R" * 10_000
    + b"e",
    "the same state, 10,000 times": EMPTY_ARRAY
    + tuple_of(b"K\x01", tuple_of(number(MEGABYTE)), DTYPE, b"\x89", byte_text(b"a" * MEGABYTE))
    + b"q\x01b"
    + b"h\x01b" * 10_000,
    "bytes by another codec": ENCODE + text(b"a") + text(b"hex") + b"\x86R",
}
_NAMES = {
    "a system's command": b"cposix\nsystem\n",
    "a name of a megabyte": b"c" + b"a" * MEGABYTE + b"\nb\n",
    "a name of no UTF-8": b"c\xff\n\xff\n",
    "a name without end": b"cnumpy",
    "names that are numbers": b"K\x01K\x02\x93",
    "the class called": CLASS + b"K\x05\x85R",
    "a number called": b"K\x01)R",
    "a type of nothing": b"cnumpy\ndtype\n)R",
}
_OPCODES = {
    f"opcode {opcode!r}": b"N" + opcode
    for opcode in [
        *(
            b"0",
            b"1",
            b"2",
            b"Px\n",
            b"Q",
            b"ios\nsystem\n",
            b"o",
            b"\x81",
            b"\x82\x01",
            b"\x83\x01\x00",
            b"\x84\x01\x00\x00\x00",
        ),
        *(
            b"\x8f",
            b"\x90",
            b"\x91",
            b"\x92",
            b"\x96" + struct.pack("<Q", 1 << 62),
            b"\x97",
            b"\x98",
            b"\xff",
            b"\x80\x06",
        ),
    ]
}
_WHOLES = {
    "an empty file": b"",
    "a web page": b"<html><body>404 Not Found</body></html>",
    "zeros": bytes(MEGABYTE),
    "a plain one, cut in the middle": PLAIN[: len(PLAIN) // 2],
    "a plain one without its end": PLAIN[:-1],
    "a plain one, followed by another": PLAIN + PLAIN,
}

MALFORMED_PICKLES: dict[str, bytes] = {
    **{
        name: (b"" if opcodes.startswith(b"\x80") else b"\x80\x02") + opcodes + b"."
        for kind in (_MEMO, _LENGTHS, _NUMBERS, _TEXTS, _STACK, _ARRAYS, _NAMES, _OPCODES)
        for name, opcodes in kind.items()
    },
    **_WHOLES,
}
