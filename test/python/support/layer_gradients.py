"""What a rule says of a layer's per-example gradients, and what autograd says, one example at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thawline.probes.layer_rules.choice import rule_for


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def norms_by_rule(layer: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
    """By the layer's own parameter names, [examples]; the layer must have a rule."""
    rule = rule_for(layer)
    assert rule is not None
    forms = rule.gradients(layer, inputs, gradients)
    return {name: forms[name].squared_norms() for name, _ in layer.named_parameters(recurse=False)}


def norms_by_autograd(layer: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
    names, parameters = zip(*layer.named_parameters(recurse=False), strict=True)
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    for example in range(len(inputs)):
        one = slice(example, example + 1)
        for name, gradient in zip(
            names, torch.autograd.grad(layer(inputs[one]), parameters, gradients[one]), strict=True
        ):
            found[name].append(gradient.square().sum())
    return {name: torch.stack(norms) for name, norms in found.items()}


def assert_rule_agrees(layer: nn.Module, inputs: Tensor) -> None:
    """In float64, at gradients drawn at random; a layer without parameters has no rule to be asked for."""
    layer = layer.double().eval()
    gradients = drawn(*layer(inputs).shape, seed=1)
    expected = norms_by_autograd(layer, inputs, gradients)
    found = norms_by_rule(layer, inputs, gradients)
    assert found.keys() == expected.keys()
    for name, norms in expected.items():
        torch.testing.assert_close(found[name], norms, rtol=1e-9, atol=1e-12)
