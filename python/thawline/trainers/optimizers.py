"""The one optimizer of a run: it holds every parameter that ever trains from the first update (decision 0008)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import nn

from thawline.config.run import TrainConfig
from thawline.steering.blocks import BlockMap
from thawline.steering.group_blocks import split_by_block


def build_optimizer(
    model: nn.Module,
    train: TrainConfig,
    *,
    fused: bool,
    trained: Collection[str] | None = None,
    block_map: BlockMap | None = None,
) -> torch.optim.Optimizer:
    """The optimizer that `train.optimizer` names, over the parameters named in `trained` (None: all of the model's).

    `fused` concerns SGD alone. With `block_map` each block has groups of its own, for rates of its own; the updates at
    equal rates are the same bits. On a GPU each group costs launches, so there are none without need.
    """
    if train.optimizer == "adamw":
        return build_adamw(
            model, train.learning_rate, weight_decay=train.weight_decay, trained=trained, block_map=block_map
        )
    return build_sgd(model, train, fused=fused, trained=trained, block_map=block_map)


def build_sgd(
    model: nn.Module,
    train: TrainConfig,
    *,
    fused: bool,
    trained: Collection[str] | None = None,
    block_map: BlockMap | None = None,
) -> torch.optim.SGD:
    """SGD over the parameters named in `trained` (None: all) in one group, or in groups by block.

    Fused or not gives the same updates up to rounding. Fused SGD refuses a step in which some parameters have a
    momentum buffer and others do not, which is the first step of every block that is released. So its buffers exist
    from the start, as zeros: momentum * 0 + gradient is what the first step of a parameter without a buffer stores.
    """
    parameters = list(_chosen(model, trained).values())
    momentum = train.momentum or 0.0
    optimizer = torch.optim.SGD(
        _grouped([{"params": parameters}], model, block_map),
        lr=train.learning_rate,
        momentum=momentum,
        weight_decay=train.weight_decay,
        fused=fused,
    )
    if fused and momentum > 0:
        for parameter in parameters:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def build_adamw(
    model: nn.Module,
    learning_rate: float,
    *,
    weight_decay: float,
    trained: Collection[str] | None = None,
    block_map: BlockMap | None = None,
) -> torch.optim.AdamW:
    """AdamW over the parameters named in `trained` (None: all) in two groups, of which the first decays.

    With `block_map` both are cut into groups of one block each.

    The second one are biases and the parameters of LayerNorm: customary for transformers, and so in the trainer of the
    code that the paper's text runs follow. All else is the library's default, as the paper states.
    """
    norms = tuple(f"{name}." for name, module in model.named_modules() if isinstance(module, nn.LayerNorm))
    chosen = _chosen(model, trained)
    undecayed = {name for name in chosen if name.endswith("bias") or name.startswith(norms)}
    groups = [
        {"params": [chosen[name] for name in chosen if name not in undecayed], "weight_decay": weight_decay},
        {"params": [chosen[name] for name in chosen if name in undecayed], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(_grouped(groups, model, block_map), lr=learning_rate)


def clip_gradients(optimizer: torch.optim.Optimizer, max_norm: float | None) -> None:
    """Scales all gradients together to a Euclidean norm of at most `max_norm`; None leaves them."""
    if max_norm is not None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        nn.utils.clip_grad_norm_(parameters, max_norm)


def _grouped(groups: list[dict[str, Any]], model: nn.Module, block_map: BlockMap | None) -> list[dict[str, Any]]:
    return groups if block_map is None else split_by_block(groups, model, block_map)


def _chosen(model: nn.Module, names: Collection[str] | None) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if names is None or name in names}
