"""Momentum of parameters that begin to train in the middle of a run."""

from __future__ import annotations

import torch


def complete_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Before a step of fused SGD: zeros for the parameters in it that have no momentum buffer while others have one.

    It refuses such a step, which is the first one of every block that is released; a user's optimizer was built without
    the buffers that `trainers.optimizers.build_sgd` gives. Where none has a buffer, or another optimizer is given,
    nothing is touched. With `dampening` the first gradient counts less than without `fused`.
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
