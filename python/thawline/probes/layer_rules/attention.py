"""`nn.MultiheadAttention`, which calls no layer: its forward multiplies by its packed weights through a function.

While its forward runs, `torch.nn.functional.linear` is one that tells of each product with one of these weights, or
with some rows of it (those for queries, keys or values); what it computes is the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from thawline.probes.crossing import swapped_forward
from thawline.probes.layer_rules.forms import Form, Products, Vectors

_PACKED_WEIGHTS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")


def projections_of(module: nn.Module) -> dict[str, str]:
    """{weight: bias} of the products that an attention makes of its own weights, by names in it; {} for other layers.

    `bias_k` and `bias_v` are no products, and have no rule.
    """
    if type(module) is not nn.MultiheadAttention:
        return {}
    packed = {name: "in_proj_bias" for name in _PACKED_WEIGHTS if getattr(module, name) is not None}
    return {**packed, "out_proj.weight": "out_proj.bias"}


@dataclass(frozen=True)
class Slice:
    """Some rows of a parameter, or all of them; `name` is that in the attention."""

    name: str
    parameter: Tensor
    first: int
    count: int

    @classmethod
    def of(cls, name: str, parameter: Tensor, view: Tensor) -> Slice:
        first = (view.storage_offset() - parameter.storage_offset()) // parameter.stride(0)
        return cls(name, parameter, first, len(view))

    def taken(self) -> Tensor:
        return self.parameter[self.first : self.first + self.count]


@dataclass(frozen=True)
class Projection:
    """One product of `inputs` with a weight, plus a bias, and what came out.

    Positions come before examples, as everywhere in the attention: [positions, examples, D], or [positions x examples,
    D].
    """

    weight: Slice
    bias: Slice | None
    inputs: Tensor
    output: Tensor

    def fits(self, examples: int) -> bool:
        if self.inputs.dim() == 3:
            return self.inputs.shape[1] == examples
        return self.inputs.dim() == 2 and len(self.inputs) % examples == 0

    def forms(self, gradients: Tensor, examples: int) -> dict[str, Form]:
        """By names in the attention, from the gradients at the output."""
        left, right = (
            tensor.reshape(-1, examples, tensor.shape[-1]).permute(1, 2, 0) for tensor in (self.inputs, gradients)
        )
        forms: dict[str, Form] = {self.weight.name: Products(left, right, self.weight.first)}
        if self.bias is not None:
            forms[self.bias.name] = Vectors(right.sum(dim=2), self.bias.first)
        return forms

    def again(self) -> Tensor:
        return functional.linear(self.inputs, self.weight.taken(), None if self.bias is None else self.bias.taken())


@contextmanager
def watched_projections(module: nn.Module, tell: Callable[[Projection], None]) -> Iterator[None]:
    """Within it `tell` hears of each product in the attention's forward."""
    forward, linear = module.forward, functional.linear
    names = projections_of(module)
    weights = {name: module.get_parameter(name) for name in names}

    def telling(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        output = linear(input, weight, bias)
        for name, whole in weights.items():
            if weight is whole or weight._base is whole:
                shift = None if bias is None else Slice.of(names[name], module.get_parameter(names[name]), bias)
                tell(Projection(Slice.of(name, whole, weight), shift, input.detach(), output))
        return output

    def watched(*args: Any, **kwargs: Any) -> Any:
        functional.linear = telling
        try:
            return forward(*args, **kwargs)
        finally:
            functional.linear = linear

    with swapped_forward(module, watched):
        yield
