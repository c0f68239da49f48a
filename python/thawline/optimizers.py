"""The one optimizer of a run: it holds every parameter from the first update, frozen or not (decision 0008)."""

from __future__ import annotations

import torch
from torch import nn

from thawline.config import TrainConfig


def build_sgd(model: nn.Module, train: TrainConfig, *, fused: bool) -> torch.optim.SGD:
    """SGD over all parameters in one group; fused or not gives the same updates up to rounding.

    Fused SGD refuses a step in which some parameters have a momentum buffer and others do not, which is the first step
    of every block that is released. So its buffers exist from the start, as zeros: momentum * 0 + gradient is what the
    first step of a parameter without a buffer stores.
    """
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=train.learning_rate,
        momentum=train.momentum,
        weight_decay=train.weight_decay,
        fused=fused,
    )
    if fused and train.momentum > 0:
        for parameter in model.parameters():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer
