"""One of several processes that make corrupted test sets: `python -m thawline.data.corruptions.maker`.

Reads an order from standard input, puts its sets into the cache, and writes a line to standard output after each. A
program of its own rather than a child of `multiprocessing`: nothing is pickled, and torch is not loaded.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from thawline.data.corruptions.cache import cached_corruption
from thawline.data.corruptions.recipe import Recipe, Source
from thawline.host.process import bind_life_to_parent


def main() -> None:
    order = io.BytesIO(sys.stdin.buffer.read())
    header = json.loads(order.readline())
    bind_life_to_parent(header["parent"])
    arrays = [np.load(order, allow_pickle=False) for _ in range(header["num_arrays"])]
    source = Source(arrays[0], tuple(arrays[1:]) or None)
    for recipe in header["recipes"]:
        cached_corruption(Recipe(**recipe), source, Path(header["cache_folder"]))
        print(flush=True)


def compose_order(recipes: Sequence[Recipe], source: Source, cache_folder: Path) -> bytes:
    """What `main` reads: a line of JSON, then the clean images and the textures as .npy, one after the other."""
    arrays = [source.images, *(source.frost_textures or ())]
    header = {
        "parent": os.getpid(),
        "cache_folder": str(cache_folder),
        "recipes": [asdict(recipe) for recipe in recipes],
        "num_arrays": len(arrays),
    }
    order = io.BytesIO()
    order.write(json.dumps(header).encode() + b"\n")
    for array in arrays:
        np.save(order, array, allow_pickle=False)
    return order.getvalue()


if __name__ == "__main__":
    main()
