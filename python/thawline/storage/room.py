"""Room on a disk: asked for before something large is written, and told apart from other faults where it ran out."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Final

from thawline.errors import EnvironmentFault, NoRoomError

RESERVE_BYTES: Final = 128 * 1024
"""Left free beside what is written: the run's journal is on the same disk, and ends the run where it cannot grow."""
_RESERVED_PART: Final = 16  # Of a small disk, a sixteenth.

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
# safetensors has an error of its own for what the file system says, with its number in the text.
_NUMBER_IN_TEXT: Final = re.compile(r"\(os error (\d+)\)")


def require_room(folder: Path, num_bytes: int) -> None:
    """Raises OSError ENOSPC where `folder` has no room for `num_bytes` and the reserve; of a quota it knows nothing."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    reserve = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // _RESERVED_PART)
    if free < num_bytes + reserve:
        needed = f"{_in_words(num_bytes)} and a reserve of {_in_words(reserve)}"
        raise OSError(errno.ENOSPC, f"no room left on the disk: {needed} are needed, {_in_words(free)} are free")


def lacks_room(error: Exception) -> bool:
    """Whether `error`, of a write, says that the disk is full or a quota used up."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    number = _NUMBER_IN_TEXT.search(str(error))
    return number is not None and int(number[1]) in _NO_ROOM


def refused_by_disk(what: str, error: Exception) -> EnvironmentFault:
    """The fault that `error`, of writing `what`, is: NoRoomError where the disk is full."""
    kind = NoRoomError if lacks_room(error) else EnvironmentFault
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return kind(f"{what} cannot be written: {reason}")


def _in_words(num_bytes: int) -> str:
    if num_bytes >= 10_000_000:
        return f"{num_bytes / 1e6:.0f} MB"
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1_000_000 else f"{num_bytes / 1e3:.0f} kB"
