"""The probe loss and the norm of its gradient: the plainest description of where a training stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from thawline.probes.apgd import norm_of
from thawline.probes.hessian import LossTerm
from thawline.probes.scope import Scope, flat


def loss_and_gradient_norm(
    terms: Sequence[LossTerm], scope: Scope, blocks: Mapping[str, Scope] | None = None
) -> tuple[float, float, dict[str, float]]:
    """The sum of `terms`, and the L2 norm of its gradient over the parameters in scope and over those of each block.

    One pass of each kind.

    Un-augmented points and eval mode: the value depends on the weights alone, not on which batch came last.
    """
    device = scope.parameters[0].device
    loss = torch.zeros((), dtype=torch.float64, device=device)
    gradient = torch.zeros(scope.num_parameters, device=device)
    for term in terms:
        value: Tensor = term()
        loss += value.detach()
        slopes = torch.autograd.grad(value, scope.parameters, allow_unused=True)
        for offset, slope in zip(scope.offsets(), slopes, strict=True):
            if slope is not None:
                gradient[offset] += flat(slope)
    places = dict(zip(scope.names, scope.offsets(), strict=True))
    parts = {
        block: torch.cat([gradient[places[name]] for name in part.names]) for block, part in (blocks or {}).items()
    }
    return float(loss), float(norm_of(gradient)), {block: float(norm_of(part)) for block, part in parts.items()}
