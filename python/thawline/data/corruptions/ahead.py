"""Corrupted test sets made ahead of their use, by several processes where that is worth it."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from thawline.data.corruptions.cache import cached_corruption, is_cached
from thawline.data.corruptions.maker import compose_order
from thawline.data.corruptions.recipe import Recipe, Source
from thawline.interruption import Interrupted

POLL_SECONDS = 0.2
STARTING_IMAGES = 2000
"""A process takes about a second to start, in which another one corrupts about as many images."""

# Each process does its share on one thread; libraries would start as many as there are cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PYTHON_FOLDER = str(Path(__file__).parents[3])


def make_ahead(
    recipes: Sequence[Recipe],
    source: Source,
    *,
    cache_folder: Path,
    num_processes: int,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[int, int]]:
    """Puts every set that the cache lacks into it; yields (number made, number that were missing), at first 0 made.

    Bit for bit the same, whatever the number of processes. One that fails leaves its sets to be made where they are
    read. Raises Interrupted, with no process of ours left, when `should_stop()` is true: asked several times a second,
    but only between two sets where this process makes them itself.
    """
    missing = [recipe for recipe in recipes if not is_cached(recipe, source, cache_folder)]
    worth_starting = len(missing) * len(source.images) // STARTING_IMAGES
    num_processes = min(num_processes, len(missing), worth_starting)
    yield 0, len(missing)
    if num_processes > 1 and _is_writable(cache_folder):
        # Every so-manieth: the severities of a corruption, which cost about the same, go to different processes.
        shares = [missing[first::num_processes] for first in range(num_processes)]
        with _makers([compose_order(share, source, cache_folder) for share in shares]) as makers:
            for made in _count_made(makers, should_stop):
                yield made, len(missing)
        return
    for made, recipe in enumerate(missing, start=1):
        if should_stop():
            raise Interrupted
        cached_corruption(recipe, source, cache_folder)
        yield made, len(missing)


def _is_writable(folder: Path) -> bool:
    """Whether processes can hand over what they make."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


@contextlib.contextmanager
def _makers(orders: Sequence[bytes]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A process for each order; none is left at the end."""
    command = [sys.executable, "-m", "thawline.data.corruptions.maker"]
    search_path = os.pathsep.join(filter(None, [PYTHON_FOLDER, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": search_path}
    makers: list[subprocess.Popen[bytes]] = []
    try:
        for _ in orders:
            makers.append(subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        for maker, order in zip(makers, orders, strict=True):
            assert maker.stdin is not None
            # A maker that died has said why on standard error; it counts as done with nothing made.
            with contextlib.suppress(BrokenPipeError):
                maker.stdin.write(order)
            with contextlib.suppress(BrokenPipeError):
                maker.stdin.close()
        yield makers
    finally:
        for maker in makers:
            maker.kill()
            maker.wait()
            assert maker.stdout is not None
            maker.stdout.close()


def _count_made(makers: Sequence[subprocess.Popen[bytes]], should_stop: Callable[[], bool]) -> Iterator[int]:
    """How many sets all makers together have made, whenever it is more, until all are done."""
    made = 0
    with selectors.DefaultSelector() as selector:
        for maker in makers:
            assert maker.stdout is not None
            selector.register(maker.stdout, selectors.EVENT_READ)
        while selector.get_map():
            if should_stop():
                raise Interrupted
            for key, _ in selector.select(POLL_SECONDS):
                lines = os.read(key.fd, 4096).count(b"\n")
                if lines == 0:
                    selector.unregister(key.fileobj)
                    continue
                made += lines
                yield made
