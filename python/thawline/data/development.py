"""A development set for images: a part of the training data that is kept apart, for scores while a run trains."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from thawline.data.vision import VisionData
from thawline.errors import UserError
from thawline.host.determinism import permutation


@dataclass(frozen=True)
class DevelopmentSet:
    """Images uint8 [n, C, H, W] that nothing trains on, and their labels int64 [n]."""

    images: torch.Tensor
    labels: torch.Tensor


def cut_development(data: VisionData, num_images: int, seed: int) -> tuple[VisionData, DevelopmentSet]:
    """The data without `num_images` of the training images, in their order, and these.

    They are chosen by the seed, of each class the same share up to rounding. Raises UserError `invalid_config` where
    nothing would be left to train on.
    """
    num_train = len(data.train_labels)
    if num_images >= num_train:
        raise UserError(
            "invalid_config",
            f"`evaluate.development` is {num_images}, but there are {num_train} training images to take them from",
            hint=f"set it to less than {num_train}",
        )
    chosen = _choose(data.train_labels, num_images, seed)
    is_kept = torch.ones(num_train, dtype=torch.bool)
    is_kept[chosen] = False
    development = DevelopmentSet(data.train_images[chosen], data.train_labels[chosen])
    rest = replace(data, train_images=data.train_images[is_kept], train_labels=data.train_labels[is_kept])
    return rest, development


def _choose(labels: torch.Tensor, num_images: int, seed: int) -> torch.Tensor:
    """Indices int64 [num_images], ascending.

    Each class is put in a random order and spread evenly over [0, 1); the first ones of all classes together are taken.
    """
    order = permutation(seed, "development", len(labels))
    place = torch.empty(len(labels), dtype=torch.float64)
    for label in labels.unique():  # type: ignore[no-untyped-call]
        members = order[labels[order] == label]
        place[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    # Ties in the order of the permutation, or small sets would take the first classes.
    first = order[place[order].argsort(stable=True)][:num_images]
    return first.sort().values
