"""Memory that PyTorch frees on a CPU stays with the process: what an update needs, the one before it has had."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_OF_GLIBC = ("MALLOC_", "GLIBC_TUNABLES")


def keep_freed_memory(environment: Mapping[str, str] = os.environ) -> bool:
    """Tells glibc's allocator to give no freed memory back to the system; returns whether it was told.

    By default it maps blocks of some size (at most 32 MiB) afresh each time, so that the activations of a wide network
    cost a page fault for every 4 KiB of every update: 3 to 9 % of the time of a full-width ResNet-18. What is kept has
    gaps: that training had 1.6 GiB of memory instead of 1.4 GiB.

    Not told: another C library or allocator, and an `environment` in which the user has set glibc's allocator up.
    """
    if any(name.startswith(_OF_GLIBC) for name in environment):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, -1))
