"""Corrupted test sets on disk: making them takes seconds for each of many runs, reading them milliseconds.

Each is an .npy file and beside it a JSON file that says what it was made from; both are verified on every load, and
anything that is missing, different or damaged is made anew.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from thawline.data.corruptions.conventions import Images
from thawline.data.corruptions.recipe import Recipe, Source, describe, make
from thawline.storage.cache import load_or_make, replacing


def cached_corruption(recipe: Recipe, source: Source, cache_folder: Path) -> Images:
    """`make(recipe, source)`, from the cache if it is there and intact.

    Safe against other processes that read and write the same folder. A folder that cannot be written is a warning.
    """
    description = describe(recipe, source)
    return load_or_make(
        _entry(recipe, source, cache_folder),
        what="corrupted images",
        load=lambda path: _load(path, description),
        make=lambda: make(recipe, source),
        store=lambda path, images: _store(path, description, images),
    )


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
    # Two renames, not one transaction: a reader between them finds a pair that does not match and makes its own.
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    with replacing(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(stored, indent=2), encoding="utf-8")
