"""How much memory some code took at once, counted rather than looked at from outside: the same on every machine."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


class Peak:
    bytes = 0


@contextmanager
def memory_peak() -> Iterator[Peak]:
    """On leaving, `bytes` says how much more was allocated at once, by Python and NumPy, than on entering."""
    peak = Peak()
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        yield peak
        peak.bytes = tracemalloc.get_traced_memory()[1] - begun
    finally:
        tracemalloc.stop()
