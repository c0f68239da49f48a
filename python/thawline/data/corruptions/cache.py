"""Corrupted test sets on disk: making them takes seconds for each of many runs, reading them milliseconds.

Each is an .npy file and beside it a JSON file that says what it was made from; both are verified on every load, and
anything that is missing, different or damaged is made anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np

from thawline.data.corruptions.conventions import Images
from thawline.data.corruptions.mnist_c import PARAMETERS_VERSION, corrupt


def default_cache_folder() -> Path:
    """$THAWLINE_CACHE, else $XDG_CACHE_HOME/thawline, else ~/.cache/thawline."""
    if own := os.environ.get("THAWLINE_CACHE"):
        return Path(own)
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "thawline"


def cached_corruption(images: Images, corruption: str, *, seed: int, cache_folder: Path) -> Images:
    """`corrupt(images, corruption, seed)`, uint8 [n, 28, 28], from the cache if it is there and intact.

    Safe against other processes that read and write the same folder. A folder that cannot be written is a warning.
    """
    source_sha256 = hashlib.sha256(images.tobytes()).hexdigest()
    description: dict[str, object] = {
        "parameters_version": PARAMETERS_VERSION,
        "corruption": corruption,
        "seed": seed,
        "count": len(images),
        "source_sha256": source_sha256,
    }
    path = cache_folder / "mnist_c" / f"{corruption}-seed{seed}-{source_sha256[:12]}.npy"
    cached = _load(path, description)
    if cached is not None:
        return cached
    corrupted = corrupt(images, corruption, seed)
    try:
        _store(path, description, corrupted)
    except OSError as error:
        warnings.warn(f"corrupted images are not cached, {path.parent} cannot be written ({error})", stacklevel=2)
    return corrupted


def _load(path: Path, description: dict[str, object]) -> Images | None:
    """The cached images, or None if the two files do not prove that these are the ones described."""
    try:
        content = path.read_bytes()
        stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if stored != {**description, "file_sha256": hashlib.sha256(content).hexdigest()}:
        return None
    images: Images = np.load(io.BytesIO(content), allow_pickle=False)
    return images


def _store(path: Path, description: dict[str, object], images: Images) -> None:
    buffer = io.BytesIO()
    np.save(buffer, images, allow_pickle=False)
    content = buffer.getvalue()
    stored = {**description, "file_sha256": hashlib.sha256(content).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two renames, not one transaction: a reader between them finds a pair that does not match and makes its own.
    _write_atomically(path, content)
    _write_atomically(path.with_suffix(".json"), json.dumps(stored, indent=2).encode())


def _write_atomically(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
