"""Which rule a layer has, if any."""

from __future__ import annotations

from torch import nn

from thawline.probes.layer_rules.convolution import convolution_gradients, has_convolution_rule
from thawline.probes.layer_rules.embedding import embedding_gradients, has_embedding_rule
from thawline.probes.layer_rules.linear import linear_gradients, multiplies_by, transposed_linear_gradients
from thawline.probes.layer_rules.normalization import (
    BATCH_NORMS,
    batch_norm_gradients,
    group_norm_gradients,
    layer_norm_gradients,
    rms_norm_gradients,
)
from thawline.probes.layer_rules.own_code import gradients_by_own_code, owns_vectors_only
from thawline.probes.layer_rules.rule import Rule

LINEAR = Rule(linear_gradients)
TRANSPOSED_LINEAR = Rule(transposed_linear_gradients)
CONVOLUTION = Rule(convolution_gradients, adds_up=False)
EMBEDDING = Rule(embedding_gradients, reads_indices=True)
OWN_CODE = Rule(gradients_by_own_code)
NORMALIZATIONS = {
    nn.LayerNorm: Rule(layer_norm_gradients),
    nn.RMSNorm: Rule(rms_norm_gradients),
    nn.GroupNorm: Rule(group_norm_gradients),
}


def rule_for(module: nn.Module) -> Rule | None:
    """The rule for a layer that is called with one tensor, or None.

    By exact type first, with the type's own parameters only (a subclass may compute something else in its forward, and
    so does what was given others: `weight_g` of weight normalization, `weight_orig` of pruning). Then by structure: a
    layer that multiplies by its `weight`, and one that owns nothing but vectors. Whoever uses a rule compares it.
    """
    own = {name for name, _ in module.named_parameters(recurse=False)}
    if own and own <= {"weight", "bias"}:
        if type(module) is nn.Linear:
            return LINEAR
        if has_convolution_rule(module):
            return CONVOLUTION
        if has_embedding_rule(module):
            return EMBEDDING
        if type(module) in NORMALIZATIONS:
            return NORMALIZATIONS[type(module)]
        if isinstance(module, BATCH_NORMS) and type(module) in BATCH_NORMS and module.running_mean is not None:
            return Rule(batch_norm_gradients)
        multiplied = multiplies_by(module)
        if multiplied is not None:
            return LINEAR if multiplied == "weight" else TRANSPOSED_LINEAR
    return OWN_CODE if owns_vectors_only(module) else None
