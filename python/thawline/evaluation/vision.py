"""Accuracy on clean and on corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from thawline.data.corruptions.cache import cached_corruption
from thawline.data.corruptions.mnist_c import MNIST_C_CORRUPTIONS
from thawline.data.vision import Normalization, normalize


class EvaluationStopped(Exception):
    """`should_stop` said so between two batches: there is no result, and the model is as it was."""


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
    with _eval_mode(model), torch.inference_mode():
        for start in range(0, len(images), batch_size):
            if should_stop():
                raise EvaluationStopped
            batch = slice(start, start + batch_size)
            inputs = normalize(images[batch].to(device), *normalization, memory_format=memory_format)
            num_correct += (model(inputs).argmax(dim=1) == labels[batch].to(device)).sum()
    # The only wait for the device: the batches before it were queued without one.
    return int(num_correct) / len(images)


def evaluate_mnist_c(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    images_per_corruption: int | None,
    seed: int,
    cache_folder: Path,
    normalization: Normalization,
    batch_size: int,
    device: torch.device,
    memory_format: torch.memory_format = torch.contiguous_format,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[str, float]]:
    """(corruption, accuracy) for the 15 corruptions of MNIST-C, one at a time as they are ready.

    images uint8 [n, 1, 28, 28] and labels [n] are the clean test set, of which the first `images_per_corruption` are
    corrupted (None: all). `seed` is that of the corruptions. Raises EvaluationStopped like `accuracy`.
    """
    clean = images[:images_per_corruption].squeeze(1).cpu().numpy()
    for corruption in MNIST_C_CORRUPTIONS:
        if should_stop():
            raise EvaluationStopped
        corrupted = cached_corruption(clean, corruption, seed=seed, cache_folder=cache_folder)
        yield (
            corruption,
            accuracy(
                model,
                torch.from_numpy(corrupted).unsqueeze(1),
                labels[:images_per_corruption],
                normalization=normalization,
                batch_size=batch_size,
                device=device,
                memory_format=memory_format,
                should_stop=should_stop,
            ),
        )


@contextmanager
def _eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode for the duration; then every module's own mode again, as held BatchNorm layers differ from the rest."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, was_training in training.items():
            module.training = was_training
