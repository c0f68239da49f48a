"""How a run of image classification is evaluated: in distribution, then corruption by corruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import fmean

import torch

from thawline.config.run import RunConfig
from thawline.data.corrupted_sets import CorruptedTestSet, open_test_set
from thawline.evaluation.vision import accuracy, accuracy_and_loss, corruption_accuracies
from thawline.interruption import ShouldStop
from thawline.lockstep.abilities import SplitScore
from thawline.trainers.vision_parts import VisionParts

DEVELOPMENT = "development"
CLEAN_SPLIT = "clean"


def validator(config: RunConfig, parts: VisionParts) -> Callable[[ShouldStop], SplitScore] | None:
    """The function that scores the development set, as `Abilities.validate` wants it; None where there is none."""
    development = parts.development
    if development is None:
        return None

    def validate(should_stop: ShouldStop) -> SplitScore:
        scored = accuracy_and_loss(
            parts.model,
            development.images,
            development.labels,
            inputs=parts.inputs,
            batch_size=config.evaluate.batch_size,
            should_stop=should_stop,
        )
        loss = (scored.loss, scored.standard_error)
        return SplitScore(DEVELOPMENT, {"accuracy": scored.accuracy}, len(development.labels), False, loss=loss)

    return validate


def evaluator(config: RunConfig, parts: VisionParts) -> Callable[[ShouldStop], Iterator[SplitScore]]:
    """The function that evaluates a network, as `Abilities.evaluate` wants it.

    It gives the in-distribution accuracy. Where images are corrupted it then gives that on clean ones as these are
    read, and that on each corruption: the mean over its severities, and each of them.

    Raises UserError at once where the files of the out-of-distribution test set are not what they should be.
    """
    model, data, inputs = parts.model, parts.data, parts.inputs
    test_set = open_test_set(config.evaluate, config.data, data, num_processes=config.device.threads)
    batch_size = config.evaluate.batch_size

    def evaluate(should_stop: ShouldStop) -> Iterator[SplitScore]:
        in_dist = accuracy(
            model, data.test_images, data.test_labels, inputs=inputs, batch_size=batch_size, should_stop=should_stop
        )
        yield SplitScore("in_dist", {"accuracy": in_dist}, len(data.test_labels), False, data.from_jpeg)
        if test_set is None:
            return
        yield clean_score(config, parts, test_set, in_dist, should_stop)
        provenance = (test_set.num_images, test_set.regenerated, data.from_jpeg)
        for name, by_severity in corruption_accuracies(
            model, test_set, data.test_labels, inputs=inputs, batch_size=batch_size, should_stop=should_stop
        ):
            values = {"accuracy": fmean(by_severity.values())}
            if len(by_severity) > 1:
                values |= {f"accuracy/severity_{severity}": value for severity, value in by_severity.items()}
            how = (test_set.left_out.get(name), test_set.made_with.get(name))
            yield SplitScore(f"ood/{name}", values, *provenance, *how)
        for name, reason in test_set.left_out.items():
            if name not in test_set.corruptions:
                yield SplitScore(f"ood/{name}", {}, *provenance, reason)

    return evaluate


def clean_score(
    config: RunConfig, parts: VisionParts, test_set: CorruptedTestSet, in_dist: float, should_stop: ShouldStop
) -> SplitScore:
    """The accuracy on clean images that took the way of the corrupted ones, and on the same as they were loaded.

    The two are the same, bit for bit, unless one of the two ways is wrong: scale, order of pixels or channels, images
    of another test set. `in_dist` is the accuracy on all test images.
    """
    data, num_images = parts.data, test_set.num_images

    def scored(images: torch.Tensor) -> float:
        return accuracy(
            parts.model,
            images,
            data.test_labels[:num_images],
            inputs=parts.inputs,
            batch_size=config.evaluate.batch_size,
            should_stop=should_stop,
        )

    # Where only the first ones are corrupted they are scored again, in the batches of the other way.
    direct = in_dist if num_images == len(data.test_labels) else scored(data.test_images[:num_images])
    clean = scored(test_set.load_clean())
    values = {"accuracy": clean, "accuracy/direct": direct}
    warning = None
    if clean != direct:
        warning = (
            f"the clean test images have an accuracy of {clean:.2%} when they are read as the corrupted ones are, and "
            f"of {direct:.2%} as they are: scores of corruptions are not to be trusted"
        )
    return SplitScore(CLEAN_SPLIT, values, num_images, False, data.from_jpeg, warning=warning)
