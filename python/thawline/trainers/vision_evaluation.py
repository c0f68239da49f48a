"""How a run of image classification is evaluated: in distribution, then corruption by corruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import fmean
from typing import TypedDict

import torch
from torch import nn

from thawline.config import RunConfig
from thawline.data.corrupted_sets import open_test_set
from thawline.data.vision import Normalization, VisionData
from thawline.evaluation.eval_mode import EvaluationStopped
from thawline.evaluation.vision import accuracy, corruption_accuracies
from thawline.trainers.memory_format import memory_format_for
from thawline.training import Interrupted, ShouldStop, SplitScore


class _Settings(TypedDict):
    normalization: Normalization
    batch_size: int
    device: torch.device
    memory_format: torch.memory_format


def evaluator(
    config: RunConfig, data: VisionData, model: nn.Module, device: torch.device
) -> Callable[[ShouldStop], Iterator[SplitScore]]:
    """In-distribution test accuracy, then that on each corruption: the mean over its severities, and each of them.

    Raises UserError at once where the files of the out-of-distribution test set are not what they should be.
    """
    test_set = open_test_set(config.evaluate, config.data, data, num_processes=config.device.threads)
    settings = _Settings(
        normalization=data.normalization,
        batch_size=config.evaluate.batch_size,
        device=device,
        memory_format=memory_format_for(model, device),
    )

    def scores(should_stop: ShouldStop) -> Iterator[SplitScore]:
        in_dist = accuracy(model, data.test_images, data.test_labels, should_stop=should_stop, **settings)
        yield SplitScore("in_dist", {"accuracy": in_dist}, len(data.test_labels), False, data.from_jpeg)
        if test_set is None:
            return
        provenance = (test_set.num_images, test_set.regenerated, data.from_jpeg)
        for name, by_severity in corruption_accuracies(
            model, test_set, data.test_labels, should_stop=should_stop, **settings
        ):
            values = {"accuracy": fmean(by_severity.values())}
            if len(by_severity) > 1:
                values |= {f"accuracy/severity_{severity}": value for severity, value in by_severity.items()}
            how = (test_set.left_out.get(name), test_set.made_with.get(name))
            yield SplitScore(f"ood/{name}", values, *provenance, *how)
        for name, reason in test_set.left_out.items():
            if name not in test_set.corruptions:
                yield SplitScore(f"ood/{name}", {}, *provenance, reason)

    def evaluate(should_stop: ShouldStop) -> Iterator[SplitScore]:
        try:
            yield from scores(should_stop)
        except EvaluationStopped:
            raise Interrupted from None

    return evaluate
