"""Reads the pickles that CIFAR is published as, and nothing else that a pickle can do.

A pickle is a program. This interpreter knows the opcodes that build dicts, lists, tuples, texts, bytes, numbers and
uint8 arrays, within the limits of `pickle_stack`. Any other opcode, and any other name that a pickle asks for, is
refused before it is looked up, so no code of the file's choosing is ever imported or called.
"""

from __future__ import annotations

from math import prod
from typing import AnyStr, Final

import numpy as np

from thawline.data.pickle_opcodes import PLAIN_OPCODES
from thawline.data.pickle_stack import MAX_BYTES, ForbiddenPickle, PickleBytes, PickleStack, unreadable
from thawline.errors import visible

__all__ = ["MAX_BYTES", "ForbiddenPickle", "read_restricted_pickle"]

_STOP: Final = ord(".")
_GLOBAL: Final = ord("c")
_STACK_GLOBAL: Final = 0x93
_REDUCE: Final = ord("R")
_BUILD: Final = ord("b")

_MAX_DIMENSIONS: Final = 8


class _Name:
    """One of the few names that a pickle may ask for: the interpreter does in its place what it stands for."""

    __slots__ = ()


_ARRAY_CLASS: Final = _Name()
_MAKE_ARRAY: Final = _Name()
_MAKE_TYPE: Final = _Name()
_MAKE_BYTES: Final = _Name()
_NO_BYTES: Final = _Name()

# numpy's modules were renamed in version 2; files of both ages circulate.
_ALLOWED: Final[dict[tuple[str, str], _Name]] = {
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _MAKE_TYPE,
    ("numpy.core.multiarray", "_reconstruct"): _MAKE_ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): _MAKE_ARRAY,
    # The ways in which Python 3 writes bytes for Python 2, empty ones apart.
    ("_codecs", "encode"): _MAKE_BYTES,
    ("__builtin__", "bytes"): _NO_BYTES,
}


def read_restricted_pickle(content: bytes) -> object:
    """The dicts, lists, tuples, texts, bytes, numbers and uint8 arrays in `content`; texts of Python 2 as latin1.

    Takes memory for no more than six times `content`, and for a million small values. Raises ForbiddenPickle, with the
    reason as half a sentence, for anything else.
    """
    return _Interpreter(content).result()


class _Interpreter:
    def __init__(self, content: bytes) -> None:
        self._source = PickleBytes(content)
        self._stack = PickleStack()
        # The same text could be made bytes, and the same bytes an array, again and again. A file needs either once.
        self._bytes_to_make = 2 * len(content)

    def result(self) -> object:
        while (opcode := self._source.byte()) != _STOP:
            self._stack.count_opcode()
            if (perform := PLAIN_OPCODES.get(opcode)) is not None:
                perform(self._source, self._stack)
            else:
                self._perform_name(opcode)
        (value,) = self._stack.pop_last(1)
        if self._source.left:
            raise unreadable(f"{self._source.left:,} bytes follow its end")
        return value

    def _perform_name(self, opcode: int) -> None:
        """The opcodes that look up a name, call what it stands for, or set an object's state."""
        match opcode:
            case _ if opcode == _GLOBAL:
                self._look_up(self._source.name(), self._source.name())
            case _ if opcode == _STACK_GLOBAL:
                self._look_up(*self._stack.pop_last(2))
            case _ if opcode == _REDUCE:
                self._stack.push(self._call(*self._stack.pop_last(2)))
            case _ if opcode == _BUILD:
                (state,) = self._stack.pop_last(1)
                self._set_state(self._stack.top(), state)
            case _:
                raise unreadable(f"the opcode {bytes([opcode])!r} has no place in plain data")

    def _look_up(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise unreadable("a name is no text")
        if (module, name) not in _ALLOWED:
            raise ForbiddenPickle(f"it asks for {visible(module[:80])}.{visible(name[:80])}")
        self._stack.push(_ALLOWED[module, name])

    def _call(self, called: object, arguments: object) -> object:
        match arguments:
            case (array_class, *_) if called is _MAKE_ARRAY:
                # Empty: the pickle sets type, shape and bytes afterwards.
                _require(array_class is _ARRAY_CLASS, "it makes an array of another class than numpy.ndarray")
                return np.empty(0, np.uint8)
            case ((str() | bytes()) as code, *_) if called is _MAKE_TYPE:
                # Unsigned bytes alone: an array of objects could hold anything.
                name = code[:20] if isinstance(code, str) else code[:20].decode("latin1")
                _require(name == "u1", f"it holds an array of type {name!r}, not of bytes")
                return np.dtype(np.uint8)
            case (str() as text, str() as encoding) if called is _MAKE_BYTES:
                _require(encoding == "latin1", f"it decodes bytes by {encoding[:20]!r}")
                return self._encoded(text)
            case () if called is _NO_BYTES:
                return b""
        raise ForbiddenPickle("it calls what plain data has no use for")

    def _set_state(self, target: object, state: object) -> None:
        """Of an array: shape and bytes. An array's type has a state as well, which says nothing of single bytes."""
        if isinstance(target, np.dtype):
            return
        _require(isinstance(target, np.ndarray), "it sets the state of something that is no array")
        match state:
            case (int(), tuple() as shape, np.dtype() as element, int() as fortran, (bytes() | str()) as data):
                _require(len(shape) <= _MAX_DIMENSIONS, f"it holds an array of more than {_MAX_DIMENSIONS} dimensions")
                sides = [side for side in shape if type(side) is int and side >= 0]
                _require(len(sides) == len(shape), "it holds an array whose shape is none")
                # NumPy's own product of the sides other than zero must not overflow either.
                _require(prod(side or 1 for side in sides) <= MAX_BYTES, "it holds an array larger than any file")
                _require(prod(sides) == len(data), "it holds an array whose shape does not fit its bytes")
                values = self._encoded(data) if isinstance(data, str) else self._counted(data)
                target.__setstate__((1, shape, element, bool(fortran), values))  # type: ignore[attr-defined]
            case _:
                raise ForbiddenPickle("it holds an array without shape and bytes")

    def _encoded(self, text: str) -> bytes:
        try:
            return self._counted(text).encode("latin1")
        except UnicodeEncodeError:
            raise ForbiddenPickle("it holds bytes above 255") from None

    def _counted(self, data: AnyStr) -> AnyStr:
        self._bytes_to_make -= len(data)
        _require(self._bytes_to_make >= 0, "it makes more bytes than it holds")
        return data


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise ForbiddenPickle(why)
