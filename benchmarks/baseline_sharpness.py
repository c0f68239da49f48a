"""Worst-case sharpness by the published algorithm (Andriushchenko et al. 2023), written from its description.

Auto-PGD on the weights of one batch: dictionaries of tensors, a forward and backward pass for each gradient and one
more forward pass for each loss, decisions on the host, a copy of the whole state at each new best. A halved step sets
the weights back to the best point and leaves the perturbation where it is.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.probes.apgd import MOMENTUM, SUCCESS_RATE, checkpoints

Tensors = dict[str, Tensor]


def published_sharpness_worst(network: nn.Module, inputs: Tensor, labels: Tensor, rho: float, iterations: int) -> float:
    """Best loss found within the ball of radius rho minus the clean loss; the weights come back as they were."""
    named = dict(network.named_parameters())
    original = {name: parameter.detach().clone() for name, parameter in named.items()}
    perturbation = {name: torch.zeros_like(value) for name, value in original.items()}
    previous = perturbation
    clean = best = loss_of(network, inputs, labels)
    best_state = copy.deepcopy(network.state_dict())
    step, step_before, best_before, successes, last = 2 * rho, 2 * rho, best, 0, 0
    schedule = checkpoints(iterations)
    for iteration in range(iterations):
        gradient = gradients_of(network, inputs, labels)
        norm = norm_of(gradient)
        ascended = {name: perturbation[name] + step * gradient[name] / (norm + 1e-12) for name in gradient}
        norm = norm_of(ascended)
        if norm > rho:
            ascended = {name: value * (rho / norm) for name, value in ascended.items()}
        moved = {name: MOMENTUM * ascended[name] + (1 - MOMENTUM) * previous[name] for name in ascended}
        perturbation, previous = moved, perturbation
        with torch.no_grad():
            for name, parameter in named.items():
                parameter.copy_(original[name] + perturbation[name])
        loss = loss_of(network, inputs, labels)
        if loss > best:
            best, successes = loss, successes + 1
            best_state = copy.deepcopy(network.state_dict())
        if iteration in schedule:
            unchanged = step == step_before and best == best_before
            step_before, best_before = step, best
            if successes < SUCCESS_RATE * (iteration - last) or unchanged:
                step /= 2
                network.load_state_dict(best_state)
            successes, last = 0, iteration
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(original[name])
    return best - clean


@torch.no_grad()
def loss_of(network: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    return functional.cross_entropy(network(inputs), labels).item()


def gradients_of(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensors:
    network.zero_grad()
    functional.cross_entropy(network(inputs), labels).backward()  # type: ignore[no-untyped-call]
    return {name: parameter.grad for name, parameter in network.named_parameters() if parameter.grad is not None}


def norm_of(tensors: Tensors) -> float:
    return torch.stack([value.norm() ** 2 for value in tensors.values()]).sum().sqrt().item()
