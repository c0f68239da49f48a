"""A cheaper arithmetic for searching over perturbations, and the scoring of what was found in the full one.

Two losses of different precision must never be subtracted: bfloat16 alone moves a loss by more than some sharpness.
So a search in bfloat16 only finds a perturbation; its losses and the clean ones are then computed in float32.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from thawline.probes.apgd import Ascent
from thawline.probes.loss_surface import LossSurface
from thawline.probes.sphere import SphereAscent

Precision = Literal["float32", "bfloat16"]


class BFloat16Surface:
    """Another surface in bfloat16; weights and perturbations stay float32.

    The cache of autocast is off: it would go on using the cast of a weight that was moved in place since.
    """

    def __init__(self, surface: LossSurface, device: torch.device) -> None:
        self._surface = surface
        self._device_type = device.type

    def losses(self, perturbations: Iterable[Tensor]) -> Tensor:
        with self._arithmetic():
            return self._surface.losses(perturbations)

    def losses_and_gradient(self, perturbation: Tensor) -> tuple[Tensor, Tensor]:
        with self._arithmetic():
            return self._surface.losses_and_gradient(perturbation)

    def _arithmetic(self) -> torch.autocast:
        return torch.autocast(self._device_type, dtype=torch.bfloat16, cache_enabled=False)


def rescored(ascent: Ascent, surface: LossSurface) -> Ascent:
    """The same perturbations with the losses of `surface`; three forward passes.

    Where the clean loss turns out to be the larger one, the best perturbation is none at all, as in a search that
    scores itself.
    """
    clean, best, last = surface.losses([torch.zeros_like(ascent.best), ascent.best, ascent.last])
    improved = best.mean() > clean.mean()
    return replace(
        ascent,
        clean_losses=clean,
        best_losses=torch.where(improved, best, clean),
        last_losses=last,
        best=torch.where(improved, ascent.best, torch.zeros_like(ascent.best)),
    )


def rescored_on_sphere(ascent: SphereAscent, surface: LossSurface) -> SphereAscent:
    """The best by the losses of `surface` of what was found, the step along the clean gradient, and none at all.

    Three forward passes. In bfloat16 the steps after the first may have gained nothing but rounding.
    """
    candidates = [torch.zeros_like(ascent.best), ascent.first, ascent.best]
    losses = surface.losses(candidates)
    chosen = max(range(len(candidates)), key=lambda index: float(losses[index].mean()))
    return replace(ascent, clean_losses=losses[0], best_losses=losses[chosen], best=candidates[chosen])
