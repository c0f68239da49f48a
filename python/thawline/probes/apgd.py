"""Auto-PGD (Croce and Hein 2020) in weight space: the search behind worst-case sharpness (equation 4).

Follows the adaptation to weights of Andriushchenko et al. 2023, the paper's reference [2], with two deviations.
Deviation: a halved step goes on from the best point with that point's own gradient and both momentum terms there; the
reference resets the weights but not its perturbation. Deviation: the forward pass that scores a point also gives the
next gradient, so N iterations take N + 1 forward passes instead of 2 N + 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from thawline.probes.loss_surface import LossSurface

MOMENTUM = 0.75
# Between two checkpoints, this share of the iterations has to find a new best point, or the step is halved.
SUCCESS_RATE = 0.75
# Numbers in a piece of a vector whose squares are summed in float32: few enough for six digits.
NORM_PIECE = 4096


@dataclass(frozen=True)
class Ascent:
    """What a search found. Losses are per point, [points]; perturbations are flat, [dimension]."""

    clean_losses: Tensor
    best_losses: Tensor
    last_losses: Tensor
    best: Tensor
    last: Tensor


def checkpoints(iterations: int) -> tuple[int, ...]:
    """The iterations, counted from 0, after which the step size is reconsidered."""
    positions = [0.0, 0.22]
    found = [0, math.ceil(positions[1] * iterations)]
    while found[-1] < iterations and found[-1] != found[-2]:
        positions.append(positions[-1] + max(positions[-1] - positions[-2] - 0.03, 0.06))
        found.append(math.ceil(positions[-1] * iterations))
    return tuple(sorted({iteration for iteration in found[1:] if iteration < iterations}))


def norm_of(vector: Tensor) -> Tensor:
    """The L2 norm of a float32 vector as a float64 scalar.

    A sum of millions of float32 squares can be wrong in the fourth digit, and one in float64 is slow, so the norms of
    short pieces are taken in float32 and put together in float64.
    """
    whole = len(vector) // NORM_PIECE * NORM_PIECE
    pieces = torch.linalg.vector_norm(vector[:whole].view(-1, NORM_PIECE), dim=1)
    rest = torch.linalg.vector_norm(vector[whole:])
    norm: Tensor = torch.linalg.vector_norm(torch.cat([pieces, rest[None]]).double())
    return norm


def project_(perturbation: Tensor, rho: float) -> Tensor:
    """Moves a vector to the nearest point of the L2 ball of radius rho, in place."""
    scale: Tensor = rho / norm_of(perturbation).clamp(min=rho)
    return perturbation.mul_(scale.to(perturbation.dtype))


def maximise_loss(surface: LossSurface, start: Tensor, rho: float, iterations: int) -> Ascent:
    """Maximises the mean loss of `surface` over ||delta||_2 <= rho, from delta = 0 (`start`, all zeros).

    It takes `iterations` gradients and one more forward pass, which scores the last point. Every decision stays on the
    device (a branch on a loss would wait for it once an iteration). The best value starts at the clean loss, so it is
    never below it. Vectors are as long as the network is large, so they are overwritten in place: fresh memory for each
    would cost a fifth of a step of small batches.
    """
    schedule = checkpoints(iterations)
    current, previous, best, ascended = (start.clone() for _ in range(4))
    clean_losses, gradient = surface.losses_and_gradient(current)
    best_losses, best_gradient, last_losses = clean_losses, gradient.clone(), clean_losses
    step_size = StepSize(2 * rho, clean_losses.mean())
    for iteration in range(iterations):
        scale = step_size.value / (norm_of(gradient) + 1e-12)
        torch.addcmul(current, gradient, scale.to(gradient.dtype), out=ascended)
        previous.lerp_(project_(ascended, rho), MOMENTUM)
        current, previous = previous, current
        if iteration + 1 < iterations:
            last_losses, gradient = surface.losses_and_gradient(current)
        else:
            last_losses = surface.losses([current])[0]
        improved = step_size.observe(last_losses.mean())
        best_losses = torch.where(improved, last_losses, best_losses)
        torch.where(improved, current, best, out=best)
        torch.where(improved, gradient, best_gradient, out=best_gradient)
        if iteration in schedule and iteration + 1 < iterations:
            halved = step_size.reconsider(iteration)
            for vector, restart in ((current, best), (previous, best), (gradient, best_gradient)):
                torch.where(halved, restart, vector, out=vector)
    return Ascent(clean_losses, best_losses, last_losses, best, current)


class StepSize:
    """The step size and its control, as scalars on the device of the losses."""

    def __init__(self, value: float, clean_loss: Tensor) -> None:
        self.value = torch.full_like(clean_loss, value)
        self.best_loss = clean_loss
        self._successes = torch.zeros_like(clean_loss)
        self._last_checkpoint = 0
        self._value_before = self.value
        self._best_loss_before = clean_loss

    def observe(self, loss: Tensor) -> Tensor:
        """Counts a new best loss; returns whether it is one, as a boolean scalar."""
        improved = loss > self.best_loss
        self.best_loss = torch.where(improved, loss, self.best_loss)
        self._successes = self._successes + improved
        return improved

    def reconsider(self, iteration: int) -> Tensor:
        """Halves the step if too few iterations since the last checkpoint found a new best point, or if neither the
        step nor the best loss has changed since; returns whether it did, as a boolean scalar."""
        too_few = self._successes < SUCCESS_RATE * (iteration - self._last_checkpoint)
        unchanged = (self.value == self._value_before) & (self.best_loss == self._best_loss_before)
        halve = too_few | unchanged
        self._value_before, self._best_loss_before = self.value, self.best_loss
        self._last_checkpoint = iteration
        self._successes = torch.zeros_like(self._successes)
        self.value = torch.where(halve, self.value / 2, self.value)
        return halve
