"""One training update with freed memory kept, as the worker does, against glibc's way of giving it back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from benchmarks.allocation import as_in_a_script, keep_as_a_worker
from benchmarks.rows import Row, speedup
from benchmarks.settings import WIDE, BenchmarkSettings, as_trained, new_network, random_images
from benchmarks.timing import Action, take_turns
from benchmarks.updates import VisionTraining

PART = "freed-memory"
BATCH_SIZE = 128


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """None on a GPU, whose memory PyTorch keeps itself, and without glibc."""
    if settings.device.type != "cpu" or not keep_as_a_worker():
        return
    for width in settings.widths_or((16, 64)):
        updates = 1 if settings.quick else 4 if width < WIDE else 2
        batch_size = 8 if settings.quick else BATCH_SIZE
        rounds = settings.rounds_of(width, narrow=7, wide=5)
        network = as_trained(new_network(width, settings.device), settings.device)
        images = random_images(updates * batch_size)
        training = VisionTraining(network, *images, batch_size=batch_size, device=torch.device("cpu"))
        run = partial(training.run, updates)
        sides: dict[str, Action] = {"freed memory kept": run, "given back": as_in_a_script(run)}
        taken = take_turns(sides, rounds, settings.clock)
        described = settings.described(width, rounds, batch=batch_size, updates_a_turn=updates)
        yield speedup(PART, f"update of ResNet-18, width {width}", taken, None, described)
