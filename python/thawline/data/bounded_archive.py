"""Members of a tar archive, read within limits: a few compressed megabytes may stand for terabytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

# Both of what is uncompressed. CIFAR's archives have nine members and 177 MB.
_MAX_ARCHIVE_BYTES: Final = 4 * 1024**3
_MAX_HEADER_BYTES: Final = 1024**2

_OPENED_BY_BEGINNING: Final[dict[bytes, Callable[..., Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
}


class UnreadableArchive(Exception):
    """Why an archive cannot be read, as half a sentence."""


class _Bounded:
    """A file for tarfile to read from: its headers, together, within a limit, and the members that are allowed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._allowed = _MAX_HEADER_BYTES

    def allow(self, member_bytes: int) -> None:
        # tarfile reads in blocks.
        self._allowed += member_bytes + 2 * tarfile.BLOCKSIZE

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self._allowed:
            raise UnreadableArchive(f"its headers have more than {_MAX_HEADER_BYTES:,} bytes")
        self._allowed -= size
        return self._file.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        if position > _MAX_ARCHIVE_BYTES:
            raise UnreadableArchive(f"it is longer than {_MAX_ARCHIVE_BYTES:,} bytes")
        return self._file.seek(position, whence)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()


def read_members(path: Path, names: Collection[str], *, max_member_bytes: int) -> dict[str, bytes]:
    """The content of the members of those names, in whatever folder of the archive they are.

    Raises UnreadableArchive, also where a member is longer than `max_member_bytes`, or all of it than any data set.
    """
    try:
        with _uncompressed(path) as file:
            bounded = _Bounded(file)
            with tarfile.open(fileobj=cast(IO[bytes], bounded), mode="r:") as archive:
                return _read_members(archive, bounded, names, max_member_bytes)
    except UnreadableArchive:
        raise
    except Exception as error:
        # A damaged archive raises nearly anything, from EOFError to what a number's parser says.
        raise UnreadableArchive(str(error)) from error


def _uncompressed(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        beginning = file.read(2)
    open_compressed = _OPENED_BY_BEGINNING.get(beginning)
    return path.open("rb") if open_compressed is None else cast(IO[bytes], open_compressed(path, "rb"))


def _read_members(
    archive: tarfile.TarFile, bounded: _Bounded, names: Collection[str], max_member_bytes: int
) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for member in archive:
        name = PurePosixPath(member.name).name
        if name not in names or not member.isfile():
            continue
        if member.size > max_member_bytes:
            raise UnreadableArchive(f"{name} has {member.size:,} bytes, more than {max_member_bytes:,}")
        bounded.allow(member.size)
        if (file := archive.extractfile(member)) is not None:
            contents[name] = file.read()
    return contents
