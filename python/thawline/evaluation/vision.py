"""Accuracy on clean and on corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn

from thawline.data.corrupted_sets import CorruptedTestSet
from thawline.data.corruptions.ahead import MakingStopped
from thawline.data.vision import Normalization, normalize
from thawline.evaluation.eval_mode import EvaluationStopped, eval_mode

if TYPE_CHECKING:
    from thawline.training import ShouldStop


def accuracy(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    normalization: Normalization,
    batch_size: int,
    device: torch.device,
    memory_format: torch.memory_format = torch.contiguous_format,
    should_stop: Callable[[], bool],
) -> float:
    """The share of images uint8 [n, C, H, W] whose largest logit is that of their label int64 [n], in eval mode.

    Raises EvaluationStopped when `should_stop()`, asked before each batch, is true.
    """
    assert len(images) == len(labels) > 0
    num_correct = torch.zeros((), dtype=torch.int64, device=device)
    with eval_mode(model), torch.inference_mode():
        for start in range(0, len(images), batch_size):
            if should_stop():
                raise EvaluationStopped
            batch = slice(start, start + batch_size)
            inputs = normalize(images[batch].to(device), *normalization, memory_format=memory_format)
            num_correct += (model(inputs).argmax(dim=1) == labels[batch].to(device)).sum()
    # The only wait for the device: the batches before it were queued without one.
    return int(num_correct) / len(images)


def corruption_accuracies(
    model: nn.Module,
    test_set: CorruptedTestSet,
    labels: torch.Tensor,
    *,
    normalization: Normalization,
    batch_size: int,
    device: torch.device,
    memory_format: torch.memory_format = torch.contiguous_format,
    should_stop: ShouldStop,
) -> Iterator[tuple[str, dict[int, float]]]:
    """(corruption, accuracy by severity), one corruption at a time; labels int64 [n] are those of the clean test set.

    Images that are not in the cache yet are made first. Raises EvaluationStopped like `accuracy`.
    """
    _make_missing(test_set, should_stop)
    for corruption in test_set.corruptions:
        by_severity = {}
        for severity in test_set.severities:
            if should_stop():
                raise EvaluationStopped
            by_severity[severity] = accuracy(
                model,
                test_set.load(corruption, severity),
                labels[: test_set.num_images],
                normalization=normalization,
                batch_size=batch_size,
                device=device,
                memory_format=memory_format,
                should_stop=should_stop,
            )
        yield corruption, by_severity


def _make_missing(test_set: CorruptedTestSet, should_stop: ShouldStop) -> None:
    """Takes minutes where everything is missing, so each question whether to stop says how far it is."""
    doing = ""

    def should_stop_making() -> bool:
        return should_stop(doing)

    try:
        for made, missing in test_set.make_ahead(should_stop_making):
            doing = f"{made} of {missing} test sets made"
    except MakingStopped:
        raise EvaluationStopped from None
