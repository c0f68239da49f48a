"""One training update with freed memory kept, as the worker does, against glibc's way of giving it back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.own_process import OwnProcess
from benchmarks.rows import Row, compared
from benchmarks.settings import BenchmarkSettings
from benchmarks.timing import take_turns
from benchmarks.train import batch_size, updates_a_turn, with_thawline
from thawline.host.allocation import keep_freed_memory

PART = "freed-memory"


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """None on a GPU, whose memory PyTorch keeps itself, and without glibc."""
    if settings.device.type != "cpu" or not keep_freed_memory():
        return
    for width in settings.widths_or((16, 64)):
        rounds = settings.rounds_of(width, narrow=7, wide=5)
        training = partial(OwnProcess, partial(with_thawline, settings, width), settings.clock, settings.threads)
        with training(as_worker=True) as kept, training(as_worker=False) as given_back:
            taken = take_turns({"freed memory kept": kept, "given back": given_back}, rounds, settings.clock)
        described = settings.described(
            width, rounds, batch=batch_size(settings), updates_a_turn=updates_a_turn(settings, width)
        )
        yield compared("speedup", PART, f"update of ResNet-18, width {width}", taken, None, described)
