"""Eval mode for as long as an evaluation, a probe or a calibration lasts; then every module's own mode again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(model: nn.Module, *, by_method: bool = False) -> Iterator[None]:
    """Every module of the model is in eval mode at first, and back in its own mode on leaving.

    Own modes differ: a held BatchNorm layer evaluates amid a model in training. The flags alone are set, since
    `model.eval()` may run a library's own hooks, which merge adapters into the weights, say; with `by_method` it is
    called all the same, for a model whose author relies on that.
    """
    training = {module: module.training for module in model.modules()}
    try:
        if by_method:
            model.eval()
        for module in training:
            module.training = False
        yield
    finally:
        for module, was_training in training.items():
            module.training = was_training
