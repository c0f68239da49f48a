"""One training update against a DataLoader with a transform for each image, plain SGD, NCHW."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.baseline_training import DataLoaderTraining
from benchmarks.own_process import OwnProcess
from benchmarks.rows import Row, Target, compared
from benchmarks.settings import WIDE, BenchmarkSettings, as_trained, new_network, random_images
from benchmarks.timing import Action, fastest, take_turns
from benchmarks.updates import VisionTraining

PART = "train"
BATCH_SIZE = 128
TARGETS = {16: Target(at_least=1.3), 64: Target(at_least=1.15)}


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    for width in settings.widths_or((16, 64)):
        rounds = settings.rounds_of(width, narrow=7, wide=3)
        with ExitStack() as processes:
            loaders = {
                workers: processes.enter_context(
                    OwnProcess(
                        partial(with_data_loader, settings, width, workers),
                        settings.clock,
                        settings.threads,
                        as_worker=False,
                    )
                )
                for workers in choices_of_workers(settings)
            }
            workers = fastest(loaders, settings.clock)
            ours = processes.enter_context(
                OwnProcess(partial(with_thawline, settings, width), settings.clock, settings.threads, as_worker=True)
            )
            sides = {
                "thawline": ours,
                f"DataLoader with {workers} workers, per-image transforms, NCHW": loaders[workers],
            }
            taken = take_turns(sides, rounds, settings.clock)
        described = settings.described(
            width, rounds, batch=batch_size(settings), updates_a_turn=updates_a_turn(settings, width)
        )
        yield compared("speedup", PART, f"update of ResNet-18, width {width}", taken, TARGETS.get(width), described)


def choices_of_workers(settings: BenchmarkSettings) -> tuple[int, ...]:
    """Numbers of loading processes of which the baseline may choose the fastest."""
    if settings.clock.kind == "cpu":
        return (0,)  # Processor time would not see what they do.
    return (1,) if settings.quick else (0, 2)


def with_thawline(settings: BenchmarkSettings, width: int) -> Action:
    """The updates of a turn."""
    updates, size = updates_a_turn(settings, width), batch_size(settings)
    network = as_trained(new_network(width, settings.device), settings.device)
    training = VisionTraining(network, *random_images(updates * size), batch_size=size, device=settings.device)
    return partial(training.run, updates)


def with_data_loader(settings: BenchmarkSettings, width: int, workers: int) -> Action:
    """An epoch of as many updates."""
    size = batch_size(settings)
    images, labels = random_images(updates_a_turn(settings, width) * size)
    network = new_network(width, settings.device)
    return DataLoaderTraining(network, images, labels, batch_size=size, workers=workers, device=settings.device).epoch


def updates_a_turn(settings: BenchmarkSettings, width: int) -> int:
    return 1 if settings.quick else 4 if width < WIDE else 2


def batch_size(settings: BenchmarkSettings) -> int:
    return 8 if settings.quick else BATCH_SIZE
