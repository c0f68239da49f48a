"""The largest eigenvalue of the Hessian of the probe loss (named in the paper's appendix C)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from thawline.probes.head_features import HeadFeatures
from thawline.probes.lanczos import TopEigenpair, largest_eigenpair
from thawline.probes.objective import MICRO_BATCH, Batch, Objective, forward_parts
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope, dense, flat

# Relative to the eigenvalue. Its error is at most this and usually about its square, far below what another draw of
# the probe points would change; rounding in single precision is a hundred times smaller still.
RESIDUAL_TOLERANCE = 1e-3
# A bound on memory: each product leaves one vector as large as the weights. At width 8 a fresh start took 11,
# a warm one 9, since the weights had moved; a search that ends here shows it by its residual.
MAX_PRODUCTS = 40
# A warm start that happens to be an eigenvector (of a part of the network that nothing couples to the rest, say) would
# never see another one overtake it. This much of the fixed random start keeps every direction in sight.
RANDOM_SHARE = 0.01

# A part of the probe loss: each call makes its graph anew.
LossTerm = Callable[[], Tensor]


def hessian_lambda_max(terms: Sequence[LossTerm], scope: Scope, fresh: Tensor, warm: Tensor | None) -> TopEigenpair:
    """The top of the spectrum of the Hessian of the sum of `terms`, over the parameters in scope, in their precision.

    `fresh` is a fixed random vector [num_parameters], `warm` the eigenvector of an earlier boundary, if there is one.
    The weights are only read, no `.grad` is written, and no random number is drawn.
    """
    start = fresh / fresh.norm()
    if warm is not None:
        start = warm + RANDOM_SHARE * start
    return largest_eigenpair(
        lambda vector: hessian_product(terms, scope, vector),
        start,
        tolerance=RESIDUAL_TOLERANCE,
        max_products=MAX_PRODUCTS,
    )


def hessian_product(terms: Sequence[LossTerm], scope: Scope, vector: Tensor) -> Tensor:
    """H v, flat [num_parameters], term by term.

    The graph of a term is made anew for each product: that is a quarter of its time (ResNet-18 on a CPU), and keeping
    the graphs would hold the activations of all probe points at once. Fused attention kernels have no second
    derivative; the plain one is used instead.
    """
    directions = [
        vector[offset].view(parameter.shape)
        for offset, parameter in zip(scope.offsets(), scope.parameters, strict=True)
    ]
    product = torch.zeros_like(vector)
    with sdpa_kernel(SDPBackend.MATH):
        for term in terms:
            slopes = torch.autograd.grad(term(), scope.parameters, create_graph=True, allow_unused=True)
            along = [
                (dense(slope) * direction).sum()
                for slope, direction in zip(slopes, directions, strict=True)
                if slope is not None and slope.requires_grad
            ]
            if not along:
                continue
            found = torch.autograd.grad(torch.stack(along).sum(), scope.parameters, allow_unused=True)
            for offset, part in zip(scope.offsets(), found, strict=True):
                if part is not None:
                    product[offset] += flat(part)
    return product


def network_loss_terms(
    model: nn.Module,
    objective: Objective,
    probe_set: ProbeSet,
    scope: Scope,
    poll: Callable[[], None],
    micro_batch: int = MICRO_BATCH,
) -> list[LossTerm]:
    """The probe loss, the mean over all points, in the parts in which forward passes run fastest."""
    points = sum(probe_set.sizes)

    def term(part: Batch) -> Tensor:
        poll()
        return objective.loss(model, part).double().sum() / points

    device = scope.parameters[0].device
    return [partial(term, part) for batch in probe_set.batches for part in forward_parts(batch, device, micro_batch)]


def head_loss_terms(features: HeadFeatures, probe_set: ProbeSet, poll: Callable[[], None]) -> list[LossTerm]:
    """The probe loss as a sum of terms, batch by batch, on the cached features of a linear head."""
    head, points = features.head, sum(probe_set.sizes)

    def term(inputs: Tensor, batch: Batch) -> Tensor:
        poll()
        logits = functional.linear(inputs, head.weight, head.bias)
        return features.objective.logits_loss(logits, batch).double().sum() / points

    return [partial(term, *pair) for pair in zip(features.features, probe_set.batches, strict=True)]
