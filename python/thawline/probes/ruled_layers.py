"""Which layers of a model have a rule for per-example gradients, and for which of the parameters in scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from thawline.probes.layer_rules.attention import projections_of
from thawline.probes.layer_rules.choice import rule_for
from thawline.probes.layer_rules.rule import Rule

Layout = Literal["examples first", "examples second", "one row"]
"""How a layer is called: [examples, ...], [positions, examples, ...], or with one row of indices for all examples."""


@dataclass(frozen=True, eq=False)
class RuledLayer:
    """A layer with a rule, and the parameters in scope that the rule is about.

    `names` are their full names by those in the layer ({"weight": "fc.weight"}), `parameters` they themselves by full
    name. `rule` is None for an attention, whose products tell of themselves.
    """

    module: nn.Module
    rule: Rule | None
    names: dict[str, str]
    parameters: dict[str, nn.Parameter]
    layout: Layout = "examples first"

    @property
    def reads_indices(self) -> bool:
        return self.rule is not None and self.rule.reads_indices

    def allows(self, uses: int) -> bool:
        """Whether its parameters may be used so often in one forward pass."""
        return uses == 1 or (uses > 1 and (self.rule is None or self.rule.adds_up))


def ruled_layers(model: nn.Module, in_scope: dict[str, nn.Parameter]) -> list[RuledLayer]:
    """Layers with a rule that own parameters in scope.

    A parameter of several layers is each one's (tied weights); what uses it without a rule is for the caller to find.
    """
    full_names = {id(parameter): name for name, parameter in in_scope.items()}
    layers = []
    for module in model.modules():
        local = _covered(module)
        names = {name: full_names[id(parameter)] for name, parameter in local.items() if id(parameter) in full_names}
        if not names:
            continue
        rule = None if projections_of(module) else rule_for(module)
        if rule is not None or projections_of(module):
            layers.append(RuledLayer(module, rule, names, {name: in_scope[name] for name in names.values()}))
    return layers


def _covered(module: nn.Module) -> dict[str, nn.Parameter]:
    """What a rule may be about, by names in the module: its own parameters, or what an attention multiplies by."""
    products = projections_of(module)
    if not products:
        return dict(module.named_parameters(recurse=False))
    named = dict(module.named_parameters())
    return {name: named[name] for name in dict.fromkeys([*products, *products.values()]) if name in named}
