"""The fixed points on which the probes of a run are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thawline.errors import UserError
from thawline.host.determinism import permutation
from thawline.probes.objective import Batch, batch_size


def probe_indices(size: int, points: int, seed: int) -> Tensor:
    """Which of `size` training points make the probe set: the first `points` of a seeded permutation, int64 [points].

    Raises UserError when there are fewer training points than asked for.
    """
    if not 1 <= points <= size:
        raise UserError(
            "probe_points",
            f"probe.points is {points}, but the training set has {size} points",
            f"set probe.points to a number from 1 to {size}",
        )
    return permutation(seed, "probe_set", size)[:points]


@dataclass(frozen=True)
class ProbeSet:
    """Batches of un-augmented, normalised points, in a fixed order for the whole run.

    The batches live on the device of the model. Every batch weighs the same in the sharpness measures, whatever its
    size, as in the reference implementation of the paper's measures.
    """

    batches: Sequence[Batch]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of points of each batch."""
        return tuple(batch_size(batch) for batch in self.batches)

    @classmethod
    def split(cls, inputs: Tensor, labels: Tensor, batch_size: int) -> ProbeSet:
        """Classification points in batches (inputs, labels) of `batch_size`; the last one may be smaller.

        `inputs` [points, ...] and `labels` [points] are the points at `probe_indices`, in that order.
        """
        return cls(list(zip(torch.split(inputs, batch_size), torch.split(labels, batch_size), strict=True)))

    @classmethod
    def draw(cls, inputs: Tensor, labels: Tensor, points: int, batch_size: int, seed: int) -> ProbeSet:
        """The probe set of a whole normalised training set: `probe_indices`, then `split`."""
        chosen = probe_indices(len(labels), points, seed).to(labels.device)
        return cls.split(inputs[chosen], labels[chosen], batch_size)
