"""The one optimizer of a run: it holds every parameter that ever trains from the first update (decision 0008)."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from thawline.config import TrainConfig


def build_optimizer(
    model: nn.Module, train: TrainConfig, *, fused: bool, trained: Collection[str] | None = None
) -> torch.optim.Optimizer:
    """The configured one; `trained` names the parameters that ever train, None: all. `fused` concerns SGD alone."""
    if train.optimizer == "adamw":
        return build_adamw(model, train.learning_rate, weight_decay=train.weight_decay, trained=trained)
    return build_sgd(model, train, fused=fused, trained=trained)


def build_sgd(
    model: nn.Module, train: TrainConfig, *, fused: bool, trained: Collection[str] | None = None
) -> torch.optim.SGD:
    """SGD over these parameters in one group; fused or not gives the same updates up to rounding.

    Fused SGD refuses a step in which some parameters have a momentum buffer and others do not, which is the first step
    of every block that is released. So its buffers exist from the start, as zeros: momentum * 0 + gradient is what the
    first step of a parameter without a buffer stores.
    """
    parameters = list(_chosen(model, trained).values())
    optimizer = torch.optim.SGD(
        parameters,
        lr=train.learning_rate,
        momentum=train.momentum,
        weight_decay=train.weight_decay,
        fused=fused,
    )
    if fused and train.momentum > 0:
        for parameter in parameters:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def build_adamw(
    model: nn.Module, learning_rate: float, *, weight_decay: float, trained: Collection[str] | None = None
) -> torch.optim.AdamW:
    """AdamW over these parameters in two groups, of which the first decays.

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
    return torch.optim.AdamW(groups, lr=learning_rate)


def complete_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Before a step of fused SGD: zeros for the parameters in it that have no momentum buffer while others have one.

    It refuses such a step, which is the first one of every block that is released; a user's optimizer was built without
    the buffers of `build_sgd`. Where none has a buffer, or another optimizer is given, nothing is touched. With
    `dampening` the first gradient counts less than without `fused`.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for group in optimizer.param_groups:
        if not (group["fused"] and group["momentum"] > 0):
            continue
        stepping = [parameter for parameter in group["params"] if parameter.grad is not None]
        states = [optimizer.state[parameter] for parameter in stepping]
        if all(state.get("momentum_buffer") is None for state in states):
            continue
        for parameter, state in zip(stepping, states, strict=True):
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)


def clip_gradients(optimizer: torch.optim.Optimizer, max_norm: float | None) -> None:
    """Scales all gradients together to a Euclidean norm of at most `max_norm`; None leaves them."""
    if max_norm is not None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        nn.utils.clip_grad_norm_(parameters, max_norm)


def _chosen(model: nn.Module, names: Collection[str] | None) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if names is None or name in names}
