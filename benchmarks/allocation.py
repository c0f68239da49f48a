"""Freed memory, as the two kinds of process have it that are compared: a worker keeps it, a script gives it back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

from thawline.allocation import keep_freed_memory

_Result = TypeVar("_Result")

# Where glibc's thresholds stand after it has seen blocks of 32 MiB and more freed: parameter of malloc.h, value.
_GIVING_BACK = ((-4, 65536), (-3, 32 << 20), (-1, 64 << 20))


@cache
def keep_as_a_worker() -> bool:
    """Whether this process keeps freed memory from now on; not without glibc, nor where the user set glibc up."""
    return keep_freed_memory()


def as_in_a_script(action: Callable[[], _Result]) -> Callable[[], _Result]:
    """The action with freed memory given back while it runs, as in a process without thawline; before and after, kept.

    The action as it is where this process does not keep freed memory.
    """
    return partial(_given_back, action) if keep_as_a_worker() else action


def _given_back(action: Callable[[], _Result]) -> _Result:
    libc = ctypes.CDLL(None)
    for parameter, value in _GIVING_BACK:
        libc.mallopt(parameter, value)
    try:
        return action()
    finally:
        keep_freed_memory()
