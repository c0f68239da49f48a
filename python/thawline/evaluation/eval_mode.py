"""What every evaluation shares: eval mode for as long as it lasts, and the word that it was cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


class EvaluationStopped(Exception):
    """`should_stop` said so between two batches: there is no result, and the model is as it was."""


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode for the duration; then every module's own mode again, as held BatchNorm layers differ from the rest."""
    training = {module: module.training for module in model.modules()}
    # The flags alone: `model.eval()` may run a library's own hooks, which merge adapters into the weights, say.
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module, was_training in training.items():
            module.training = was_training
