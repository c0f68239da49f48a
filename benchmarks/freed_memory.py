"""One training update with freed memory kept, as the worker does, against glibc's way of giving it back."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import partial

import torch

from benchmarks.rows import Row, speedup
from benchmarks.settings import WIDE, BenchmarkSettings, new_network, random_images
from benchmarks.timing import Action, take_turns
from benchmarks.updates import MEMORY_FORMAT, VisionTraining
from thawline.allocation import keep_freed_memory

PART = "freed-memory"
BATCH_SIZE = 128
# Where glibc's thresholds stand after it has seen blocks of 32 MiB and more freed: parameter of malloc.h, value.
GIVING_BACK = ((-4, 65536), (-3, 32 << 20), (-1, 64 << 20))


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """None on a GPU, whose memory PyTorch keeps itself, and without glibc."""
    if settings.device.type != "cpu" or not keep_freed_memory():
        return
    for width in settings.widths_or((16, 64)):
        updates = 1 if settings.quick else 4 if width < WIDE else 2
        batch_size = 8 if settings.quick else BATCH_SIZE
        rounds = settings.rounds_of(width, narrow=7, wide=5)
        network = new_network(width, settings.device, MEMORY_FORMAT).train()
        images = random_images(updates * batch_size)
        training = VisionTraining(network, *images, batch_size=batch_size, device=torch.device("cpu"))
        sides = {
            "freed memory kept": partial(_run, training, updates, keep_freed_memory),
            "given back": partial(_run, training, updates, _give_back_freed_memory),
        }
        taken = take_turns(sides, rounds, settings.clock)
        described = settings.described(width, rounds, batch=batch_size, updates_a_turn=updates)
        yield speedup(PART, f"update of ResNet-18, width {width}", taken, None, described)
    _give_back_freed_memory()


def _run(training: VisionTraining, updates: int, choose_allocation: Action) -> None:
    choose_allocation()
    training.run(updates)


def _give_back_freed_memory() -> None:
    libc = ctypes.CDLL(None)
    for parameter, value in GIVING_BACK:
        libc.mallopt(parameter, value)
