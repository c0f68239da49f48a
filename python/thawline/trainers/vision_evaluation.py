"""How a run of image classification is evaluated: in distribution, then corruption by corruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import fmean

from thawline.config.run import RunConfig
from thawline.data.corrupted_sets import open_test_set
from thawline.evaluation.vision import accuracy, accuracy_and_loss, corruption_accuracies
from thawline.interruption import ShouldStop
from thawline.lockstep.abilities import SplitScore
from thawline.trainers.vision_parts import VisionParts

DEVELOPMENT = "development"


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

    It gives the in-distribution accuracy, then that on each corruption: the mean over its severities, and each of them.

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
