"""One training update against a DataLoader with a transform for each image, plain SGD, NCHW."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.allocation import as_in_a_script
from benchmarks.baseline_training import DataLoaderTraining
from benchmarks.rows import Row, Target, speedup
from benchmarks.settings import WIDE, BenchmarkSettings, as_trained, new_network, random_images
from benchmarks.timing import Action, fastest, take_turns
from benchmarks.updates import VisionTraining

PART = "train"
BATCH_SIZE = 128
TARGETS = {16: Target(at_least=1.3), 64: Target(at_least=1.15)}


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    for width in settings.widths_or((16, 64)):
        updates = 1 if settings.quick else 4 if width < WIDE else 2
        batch_size = 8 if settings.quick else BATCH_SIZE
        rounds = settings.rounds_of(width, narrow=7, wide=3)
        images, labels = random_images(updates * batch_size)
        ours = VisionTraining(
            as_trained(new_network(width, settings.device), settings.device),
            images,
            labels,
            batch_size=batch_size,
            device=settings.device,
        )
        # Processor time would not see what workers do.
        choices = (0, 2) if settings.clock.kind == "wall" else (0,)
        loaders = {
            workers: as_in_a_script(
                DataLoaderTraining(
                    new_network(width, settings.device),
                    images,
                    labels,
                    batch_size=batch_size,
                    workers=workers,
                    device=settings.device,
                ).epoch
            )
            for workers in choices
        }
        workers = fastest(loaders, settings.clock)
        sides: dict[str, Action] = {
            "thawline": partial(ours.run, updates),
            f"DataLoader with {workers} workers, per-image transforms, NCHW": loaders[workers],
        }
        yield speedup(
            PART,
            f"update of ResNet-18, width {width}",
            take_turns(sides, rounds, settings.clock),
            TARGETS.get(width),
            settings.described(width, rounds, batch=batch_size, updates_a_turn=updates),
        )
