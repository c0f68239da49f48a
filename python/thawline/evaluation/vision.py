"""Accuracy on clean and on corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.data.corrupted_sets import CorruptedTestSet
from thawline.data.vision import ImageInputs
from thawline.eval_mode import eval_mode
from thawline.evaluation.losses import mean_and_error
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
    num_correct = torch.zeros((), dtype=torch.int64, device=inputs.device)
    for logits, wanted in _logits(model, images, labels, inputs, batch_size, should_stop):
        num_correct += (logits.argmax(dim=1) == wanted).sum()
    # The only wait for the device: the batches before it were queued without one.
    return int(num_correct) / len(images)


class ScoreAndLoss(NamedTuple):
    """`loss` is the mean cross-entropy, `standard_error` its error over examples; NaN where there is only one."""

    accuracy: float
    loss: float
    standard_error: float


def accuracy_and_loss(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    inputs: ImageInputs,
    batch_size: int,
    should_stop: Callable[[], bool],
) -> ScoreAndLoss:
    """Like `accuracy`, of the same logits the loss as well, in float32 and its mean in float64. Raises Interrupted."""
    num_correct = torch.zeros((), dtype=torch.int64, device=inputs.device)
    losses: list[Tensor] = []
    for logits, wanted in _logits(model, images, labels, inputs, batch_size, should_stop):
        num_correct += (logits.argmax(dim=1) == wanted).sum()
        losses.append(functional.cross_entropy(logits.float(), wanted, reduction="none"))
    return ScoreAndLoss(int(num_correct) / len(images), *mean_and_error(losses))


def _logits(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    inputs: ImageInputs,
    batch_size: int,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batch by batch, logits [n, classes] and labels [n] on the device."""
    assert len(images) == len(labels) > 0
    with eval_mode(model), torch.inference_mode():
        for start in range(0, len(images), batch_size):
            if should_stop():
                raise Interrupted
            batch = slice(start, start + batch_size)
            yield model(inputs.of(images[batch])), labels[batch].to(inputs.device)


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
