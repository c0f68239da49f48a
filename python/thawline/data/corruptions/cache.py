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
from thawline.data.corruptions.recipe import Recipe, Source, describe, make


def default_cache_folder() -> Path:
    """$THAWLINE_CACHE, else $XDG_CACHE_HOME/thawline, else ~/.cache/thawline."""
    if own := os.environ.get("THAWLINE_CACHE"):
        return Path(own)
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "thawline"


def cached_corruption(recipe: Recipe, source: Source, cache_folder: Path) -> Images:
    """`make(recipe, source)`, from the cache if it is there and intact.

    Safe against other processes that read and write the same folder. A folder that cannot be written is a warning.
    """
    path, description = _entry(recipe, source, cache_folder), describe(recipe, source)
    cached = _load(path, description)
    if cached is not None:
        return cached
    corrupted = make(recipe, source)
    try:
        _store(path, description, corrupted)
    except OSError as error:
        warnings.warn(f"corrupted images are not cached, {path.parent} cannot be written ({error})", stacklevel=2)
    return corrupted


def is_cached(recipe: Recipe, source: Source, cache_folder: Path) -> bool:
    """Whether the cache says that it has this set; that the file is intact shows when it is read."""
    path = _entry(recipe, source, cache_folder)
    stored = _read_description(path)
    return path.is_file() and stored == {**describe(recipe, source), "file_sha256": stored.get("file_sha256")}


def _entry(recipe: Recipe, source: Source, cache_folder: Path) -> Path:
    severity = [] if recipe.severity is None else [str(recipe.severity)]
    # Different textures get files of their own, or two users would overwrite each other's frost for ever.
    textures = [source.textures_sha256[:12]] if recipe.corruption == "frost" else []
    parts = [recipe.corruption, *severity, f"seed{recipe.seed}", source.images_sha256[:12], *textures]
    return cache_folder / recipe.benchmark / f"{'-'.join(parts)}.npy"


def _load(path: Path, description: dict[str, object]) -> Images | None:
    """The cached images, or None if the two files do not prove that these are the ones described."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if _read_description(path) != {**description, "file_sha256": hashlib.sha256(content).hexdigest()}:
        return None
    images: Images = np.load(io.BytesIO(content), allow_pickle=False)
    return images


def _read_description(path: Path) -> dict[str, object]:
    """Empty where there is none, or none that can be read."""
    try:
        stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


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
