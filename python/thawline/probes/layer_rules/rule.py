"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from thawline.probes.layer_rules.forms import Form

# (module, inputs [examples, ...], gradients at the output [examples, ...]) -> forms by the layer's own parameter names.
# A name that is missing says that the rule does not hold after all.
Gradients = Callable[[nn.Module, Tensor, Tensor], dict[str, Form]]


@dataclass(frozen=True)
class Rule:
    """`adds_up`: a parameter may be used by several calls. `reads_indices`: the layer reads integers, not numbers."""

    gradients: Gradients
    adds_up: bool = True
    reads_indices: bool = False
