"""The losses of one batch as a function of a perturbation of the weights in scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.probes.head_features import HeadFeatures
from thawline.probes.objective import MICRO_BATCH, Batch, Objective, batch_size, forward_parts
from thawline.probes.scope import PerturbedWeights, Scope, flat


class LossSurface(Protocol):
    """Perturbations are flat, float32 [num_parameters], in the scope's order; losses are float64 [points]."""

    def losses(self, perturbations: Iterable[Tensor]) -> Tensor:
        """The losses at each perturbation, [perturbations, points]."""

    def losses_and_gradient(self, perturbation: Tensor) -> tuple[Tensor, Tensor]:
        """The losses [points] and the gradient [num_parameters] of their mean.

        The caller may write into the gradient, which is valid until the next call.
        """


class NetworkSurface:
    """The general path: the weights are moved in place, and a forward pass of the whole model gives the losses.

    `weights` restores them when the caller leaves its context.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        batch: Batch,
        scope: Scope,
        weights: PerturbedWeights,
        micro_batch: int = MICRO_BATCH,
    ) -> None:
        self._model = model
        self._objective = objective
        self._parts = forward_parts(batch, scope.parameters[0].device, micro_batch)
        self._points = batch_size(batch)
        self._scope = scope
        self._offsets = scope.offsets()
        self._weights = weights
        self._gradient: Tensor | None = None

    @torch.no_grad()
    def losses(self, perturbations: Iterable[Tensor]) -> Tensor:
        found = []
        for perturbation in perturbations:
            self._weights.move_to(perturbation)
            found.append(torch.cat([self._objective.loss(self._model, part).double() for part in self._parts]))
        return torch.stack(found)

    def losses_and_gradient(self, perturbation: Tensor) -> tuple[Tensor, Tensor]:
        self._weights.move_to(perturbation)
        losses = []
        # One buffer for all calls: memory that is new to the process costs as much as the sum that goes into it.
        total = torch.zeros_like(perturbation) if self._gradient is None else self._gradient.zero_()
        self._gradient = total
        for part in self._parts:
            part_losses = self._objective.loss(self._model, part).double()
            share = part_losses.sum() / self._points
            gradients = torch.autograd.grad(share, self._scope.parameters, allow_unused=True)
            for offset, gradient in zip(self._offsets, gradients, strict=True):
                if gradient is not None:
                    total[offset] += flat(gradient)
            losses.append(part_losses.detach())
        return torch.cat(losses), total


class HeadSurface:
    """A linear head on cached features: the same losses to rounding, without the network below.

    The weights are never touched. All perturbations of one call share a single matrix product.
    """

    def __init__(self, features: HeadFeatures, index: int, batch: Batch, scope: Scope) -> None:
        self._objective = features.objective
        self._inputs = features.features[index]
        self._batch = batch
        self._shape = features.head.weight.shape
        self._clean = torch.cat([parameter.detach().reshape(-1) for parameter in scope.parameters])
        offsets = dict(zip(map(id, scope.parameters), scope.offsets(), strict=True))
        self._weight = offsets[id(features.head.weight)]
        self._bias = None if features.head.bias is None else offsets[id(features.head.bias)]

    @torch.no_grad()
    def losses(self, perturbations: Iterable[Tensor]) -> Tensor:
        weights = self._clean + torch.stack(list(perturbations))
        classes, width = self._shape
        stacked = weights[:, self._weight].reshape(-1, width)
        logits = functional.linear(self._inputs, stacked).view(-1, len(weights), classes).transpose(0, 1)
        if self._bias is not None:
            logits = logits + weights[:, None, self._bias]
        return self._objective.logits_loss(logits, self._batch).double()

    def losses_and_gradient(self, perturbation: Tensor) -> tuple[Tensor, Tensor]:
        weights = (self._clean + perturbation).requires_grad_()
        bias = None if self._bias is None else weights[self._bias]
        logits = functional.linear(self._inputs, weights[self._weight].view(self._shape), bias)
        losses = self._objective.logits_loss(logits, self._batch).double()
        (gradient,) = torch.autograd.grad(losses.mean(), weights)
        return losses.detach(), gradient
