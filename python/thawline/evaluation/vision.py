"""Accuracy on clean and on corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from thawline.data.corrupted_sets import CorruptedTestSet
from thawline.data.vision import ImageInputs
from thawline.eval_mode import eval_mode
from thawline.interruption import Interrupted, ShouldStop


def accuracy(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    inputs: ImageInputs,
    batch_size: int,
    should_stop: Callable[[], bool],
) -> float:
    """The share of images uint8 [n, C, H, W] whose largest logit is that of their label int64 [n], in eval mode.

    Raises Interrupted when `should_stop()`, asked before each batch, is true.
    """
    assert len(images) == len(labels) > 0
    num_correct = torch.zeros((), dtype=torch.int64, device=inputs.device)
    with eval_mode(model), torch.inference_mode():
        for start in range(0, len(images), batch_size):
            if should_stop():
                raise Interrupted
            batch = slice(start, start + batch_size)
            predicted = model(inputs.of(images[batch])).argmax(dim=1)
            num_correct += (predicted == labels[batch].to(inputs.device)).sum()
    # The only wait for the device: the batches before it were queued without one.
    return int(num_correct) / len(images)


def corruption_accuracies(
    model: nn.Module,
    test_set: CorruptedTestSet,
    labels: torch.Tensor,
    *,
    inputs: ImageInputs,
    batch_size: int,
    should_stop: ShouldStop,
) -> Iterator[tuple[str, dict[int, float]]]:
    """(corruption, accuracy by severity), one corruption at a time; labels int64 [n] are those of the clean test set.

    Images that are not in the cache yet are made first. Raises Interrupted like `accuracy`.
    """
    _make_missing(test_set, should_stop)
    for corruption in test_set.corruptions:
        by_severity = {}
        for severity in test_set.severities:
            if should_stop():
                raise Interrupted
            by_severity[severity] = accuracy(
                model,
                test_set.load(corruption, severity),
                labels[: test_set.num_images],
                inputs=inputs,
                batch_size=batch_size,
                should_stop=should_stop,
            )
        yield corruption, by_severity


def _make_missing(test_set: CorruptedTestSet, should_stop: ShouldStop) -> None:
    """Takes minutes where everything is missing, so each question whether to stop says how far it is."""
    doing = ""

    def should_stop_making() -> bool:
        return should_stop(doing)

    for made, missing in test_set.make_ahead(should_stop_making):
        doing = f"{made} of {missing} test sets made"
