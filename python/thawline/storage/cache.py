"""The cache on disk: what takes long to make, kept for other runs, and made anew where it is missing or damaged."""

from __future__ import annotations

import fcntl
import glob
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError

from thawline.failpoint import failpoint

Value = TypeVar("Value")


def default_cache_folder() -> Path:
    """$THAWLINE_CACHE, else $XDG_CACHE_HOME/thawline, else ~/.cache/thawline."""
    if own := os.environ.get("THAWLINE_CACHE"):
        return Path(own)
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "thawline"


def load_or_make(
    path: Path,
    *,
    what: str,
    load: Callable[[Path], Value | None],
    make: Callable[[], Value],
    store: Callable[[Path, Value], None],
) -> Value:
    """What `load` finds at `path`; where it proves nothing to be there (None), what `make` gives, which is stored.

    Safe against other processes on the same folder, if `store` writes by `replacing`. A folder that cannot be written
    is a warning, which says so of `what`.
    """
    cached = load(path)
    if cached is not None:
        return cached
    made = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store(path, made)
    # safetensors has an error of its own for a full disk.
    except (OSError, SafetensorError) as error:
        warnings.warn(f"{what} are not cached, {path.parent} cannot be written ({error})", stacklevel=3)
    return made


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, which takes its place on leaving, all at once; where an error comes first, never.

    What processes that were killed have left of such files is removed.
    """
    _remove_left_over(path)
    descriptor, temporary = _open_aside(path)
    try:
        yield temporary
        failpoint("cache.aside")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _open_aside(path: Path) -> tuple[int, Path]:
    """A new file and its descriptor, with a lock that lasts as long as the process at most: it says that it lives."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        # Some file systems have no locks; there nothing is ever taken for left over.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink > 0:
            return descriptor, Path(name)
        # Taken for left over before it was locked.
        os.close(descriptor)


def _remove_left_over(path: Path) -> None:
    for left_over in path.parent.glob(f".{glob.escape(path.name)}.*"):
        with suppress(OSError), left_over.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left_over.unlink()
