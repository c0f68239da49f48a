"""Labels y ~ p(.|x) for tr(F), and the output gradients that they give."""

from __future__ import annotations

import torch
from torch import Tensor


def label_uncertainty(logits: Tensor) -> Tensor:
    """1 - sum_c p_c^2 of each point, float64 [points]: the chance that two labels drawn from p differ."""
    probabilities = class_probabilities(logits)
    complements, _, _ = _complements(probabilities)
    return (probabilities * complements).sum(dim=-1)


def class_probabilities(logits: Tensor) -> Tensor:
    """p(.|x), float64 [points, classes]."""
    return torch.log_softmax(logits.detach().double(), dim=-1).exp()


def sample_labels(logits: Tensor, uniforms: Tensor) -> Tensor:
    """y ~ p by inverting the CDF of p at `uniforms` [points]; int64 [points]."""
    return invert_cdf(class_probabilities(logits), uniforms)


def importance_sample_labels(logits: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Labels y ~ q and weights p_y / q_y, with q_c in proportion to p_c |e_c - p|^2: the square of the gradient with
    respect to the logits, which dominates the spread of ||grad log p(y|x)||^2.

    Unbiased for any function of y that vanishes with e_y - p, and about a third of the error of y ~ p. The normaliser
    of q is 1 - |p|^2; where it is 0 the gradient is 0 for the only possible label, and so is the weight.
    Returns int64 [points] and float64 [points].
    """
    return _importance_sample(_distribution(logits), uniforms)


def importance_sampled_gradient(logits: Tensor, uniforms: Tensor) -> Tensor:
    """The `output_gradient` of `importance_sample_labels`, for the price of one distribution."""
    distribution = _distribution(logits)
    return _gradient(distribution, *_importance_sample(distribution, uniforms)).to(logits.dtype)


def invert_cdf(masses: Tensor, uniforms: Tensor) -> Tensor:
    """The class whose part of the CDF of unnormalised `masses` [points, classes] holds u in [0, 1); int64 [points].

    Never a class of mass 0, unless all of them are.
    """
    cdf = masses.cumsum(dim=-1)
    thresholds = uniforms.unsqueeze(-1) * cdf[..., -1:]
    # Zero mass means an empty interval: `right=True` passes over it. Rounding may put u * total on the total itself,
    # which no interval holds: that belongs to the last class with any mass.
    labels = torch.searchsorted(cdf, thresholds, right=True).squeeze(-1)
    last_possible = torch.searchsorted(cdf, cdf[..., -1:].contiguous()).squeeze(-1)
    return torch.minimum(labels, last_possible.clamp(max=masses.shape[-1] - 1))


def output_gradient(logits: Tensor, labels: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """The gradient of sqrt(weight) log p(y|x) with respect to the logits, sqrt(w) (e_y - p), in the logits' dtype."""
    factor = torch.as_tensor(weights, dtype=torch.float64, device=logits.device)
    return _gradient(_distribution(logits), labels, factor).to(logits.dtype)


def squared_output_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """|e_y - p|^2, float64 [points]."""
    _, _, distances = _distribution(logits)
    return distances.gather(-1, labels.unsqueeze(-1)).squeeze(-1)


# p, 1 - p and |e_c - p|^2 of each class.
_Distribution = tuple[Tensor, Tensor, Tensor]


def _importance_sample(distribution: _Distribution, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    probabilities, complements, distances = distribution
    normaliser = (probabilities * complements).sum(dim=-1)
    labels = invert_cdf(probabilities * distances, uniforms)
    chosen = distances.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    weights = torch.where(normaliser == 0, 0.0, normaliser / torch.where(normaliser == 0, 1.0, chosen))
    return labels, weights


def _gradient(distribution: _Distribution, labels: Tensor, weights: Tensor) -> Tensor:
    probabilities, complements, _ = distribution
    index = labels.unsqueeze(-1)
    gradient = (-probabilities).scatter(-1, index, complements.gather(-1, index))
    return weights.sqrt().unsqueeze(-1) * gradient


def _distribution(logits: Tensor) -> _Distribution:
    """p, 1 - p and |e_c - p|^2 of each class, float64 [points, classes].

    Exact to rounding also where p is nearly one-hot: there 1 - p_c and |p|^2 - p_c^2 of the likeliest class would
    cancel to noise, so they are summed over the other classes instead.
    """
    probabilities = class_probabilities(logits)
    complements, others, top = _complements(probabilities)
    squares = probabilities.square()
    rest = (squares.sum(dim=-1, keepdim=True) - squares).clamp(min=0.0)
    rest = rest.scatter(-1, top, others.square().sum(dim=-1, keepdim=True))
    return probabilities, complements, complements.square() + rest


def _complements(probabilities: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """1 - p of each class, p with 0 for the likeliest one, and which that is, [points, 1]."""
    top = probabilities.argmax(dim=-1, keepdim=True)
    others = probabilities.scatter(-1, top, 0.0)
    return (1 - probabilities).scatter(-1, top, others.sum(dim=-1, keepdim=True)), others, top
