"""Weights that are fine enough to be moved by as little as sharpness moves them."""

from __future__ import annotations

from thawline.errors import UserError
from thawline.probes.scope import Scope


def require_float32_weights(scope: Scope, metric: str) -> None:
    """Refuses to move weights that are too coarse to be moved by so little.

    A bfloat16 weight of 0.03 has neighbours 1e-4 away, and a perturbation of norm 0.01 moves millions of them by 3e-6
    each: most stay where they are, and worst-case sharpness came out 40 % too small. Raises UserError `probe_weights`.
    """
    for name, parameter in zip(scope.names, scope.parameters, strict=True):
        if parameter.is_floating_point() and parameter.itemsize < 4:
            kind = str(parameter.dtype).removeprefix("torch.")
            raise UserError(
                "probe_weights",
                f"{metric} moves weights by less than {kind} can tell apart, and {name} is {kind}: its value would be "
                "too small",
                "keep the weights in float32 and let autocast compute in less (`torch.autocast`), or leave "
                f"`{metric}` out of probe.metrics",
            )
