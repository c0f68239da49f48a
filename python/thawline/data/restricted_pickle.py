"""Reads the pickles that CIFAR is published as, and nothing else that a pickle can do.

A pickle is a program. This reader lets it build dicts, lists, texts, bytes, whole numbers and uint8 arrays; any other
name it asks for is refused before it is looked up, so no code of the file's choosing is ever imported or called.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt

# What stands for the class of arrays: only passed on to `_ArrayMaker`, so the class itself need not be handed out.
_ARRAY_CLASS = "numpy.ndarray"


class ForbiddenPickle(Exception):
    """The bytes are no pickle, or one that asks for more than plain data."""


class _Callable:
    """Slots keep a pickle from writing attributes into the few objects that it may call."""

    __slots__ = ()


class _ArrayMaker(_Callable):
    """numpy's `_reconstruct`: an empty array, whose type, shape and bytes the pickle sets afterwards."""

    __slots__ = ()

    def __call__(self, array_class: object, shape: object, type_code: object) -> npt.NDArray[np.uint8]:
        if array_class != _ARRAY_CLASS:
            raise ForbiddenPickle(f"it makes an array of the class {array_class!r}")
        return np.empty(0, np.uint8)


class _TypeMaker(_Callable):
    """numpy's `dtype`, for unsigned bytes alone: an array of objects could hold anything."""

    __slots__ = ()

    def __call__(self, name: object, *flags: object) -> np.dtype[np.uint8]:
        if name not in ("u1", b"u1"):
            raise ForbiddenPickle(f"it holds an array of type {name!r}, not of bytes")
        return np.dtype(np.uint8)


class _BytesMaker(_Callable):
    """`_codecs.encode`, by which Python 3 writes bytes for Python 2."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise ForbiddenPickle(f"it decodes bytes by {encoding!r}")
        return text.encode("latin1")


# numpy's modules were renamed in version 2; files of both ages circulate.
_ALLOWED: dict[tuple[str, str], object] = {
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _TypeMaker(),
    ("numpy.core.multiarray", "_reconstruct"): _ArrayMaker(),
    ("numpy._core.multiarray", "_reconstruct"): _ArrayMaker(),
    ("_codecs", "encode"): _BytesMaker(),
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise ForbiddenPickle(f"it asks for {module}.{name}")
        return _ALLOWED[module, name]


def read_restricted_pickle(content: bytes) -> object:
    """The dicts, lists, texts, bytes, whole numbers and uint8 arrays in `content`, also of Python 2 (texts as latin1).

    Raises ForbiddenPickle, with the reason as half a sentence, for anything else.
    """
    try:
        return _RestrictedUnpickler(io.BytesIO(content), encoding="latin1").load()
    except ForbiddenPickle:
        raise
    except Exception as error:
        # A damaged pickle raises nearly anything, from EOFError to an IndexError of the reader's stack.
        raise ForbiddenPickle(f"it cannot be read ({type(error).__name__}: {error})") from error
