"""What frozen BatchNorm layers do while the layers above them learn. The paper does not say, so it is an option.

`track`: they keep updating their running statistics, as plain `requires_grad` freezing does. `hold`: they go to eval
mode with what they have; from random initialisation that alone is useless, since features stay near zero, but an
intervention that starts later finds the statistics of the updates before it. `calibrate`: their statistics are averaged
over some training batches first, and then held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import torch
from torch import Tensor, nn

from thawline.eval_mode import eval_mode

FrozenBatchNorm = Literal["track", "hold", "calibrate"]

CALIBRATION_BATCHES = 16


class BatchNormPolicy:
    """Sets the mode of every BatchNorm layer after each change of what is trainable.

    `calibration_inputs(update)` gives the batches to calibrate on before `update`; they come from a stream of their
    own, so that data order and training RNG stay as they are. `recalibrates` says whether a release changes what flows
    into layers that stay frozen: true for every order but top down. `start` is the update in which layers are frozen;
    until then all of them track.
    """

    def __init__(
        self,
        model: nn.Module,
        frozen: FrozenBatchNorm,
        *,
        calibration_inputs: Callable[[int], Iterable[Tensor]],
        recalibrates: bool,
        start: int = 1,
    ) -> None:
        self._model = model
        self._frozen = frozen
        self._calibration_inputs = calibration_inputs
        self._recalibrates = recalibrates
        self._start = start

    def apply(self, update: int, *, first: bool) -> None:
        """Call when the mask that holds from `update` on has been applied; `first` for the first mask of an attempt.

        An attempt that was resumed has its statistics from the checkpoint: they are calibrated where layers are frozen,
        before update `start`, and at releases, and nowhere else.
        """
        if self._frozen == "track":
            return
        frozen = [layer for layer in batch_norm_layers(self._model) if is_frozen(layer)]
        # Once: a release in that very update finds them in eval mode, and is a release like any other.
        begins = update == self._start and any(layer.training for layer in frozen)
        if self._frozen == "calibrate" and frozen and (begins or (not first and self._recalibrates)):
            calibrate(self._model, frozen, self._calibration_inputs(update))
        held = set(map(id, frozen))
        for layer in batch_norm_layers(self._model):
            layer.train(id(layer) not in held)


def batch_norm_layers(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """Every BatchNorm layer of the model, of any dimension, in the order in which it defines them."""
    return [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


def is_frozen(layer: nn.Module) -> bool:
    """Whether none of the layer's own parameters is trainable."""
    return not any(parameter.requires_grad for parameter in layer.parameters(recurse=False))


@torch.no_grad()
def calibrate(model: nn.Module, layers: Iterable[nn.modules.batchnorm._BatchNorm], inputs: Iterable[Tensor]) -> None:
    """Replaces the running statistics of `layers` by their plain average over the batches `inputs`.

    Every other layer runs in eval mode and keeps its buffers; modes and momentum are as before afterwards.
    """
    chosen = list(layers)
    momenta = [layer.momentum for layer in chosen]
    with eval_mode(model, by_method=True):
        for layer in chosen:
            layer.reset_running_stats()
            layer.momentum = None  # PyTorch's word for a cumulative average.
            layer.train()
        try:
            for batch in inputs:
                model(batch)
        finally:
            for layer, momentum in zip(chosen, momenta, strict=True):
                layer.momentum = momentum
