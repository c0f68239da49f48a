"""Layers that are known by nothing but owning vectors."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_gradients import assert_rule_agrees, drawn
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import prune
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm

from thawline.probes.layer_rules.choice import OWN_CODE, rule_for
from thawline.probes.layer_rules.own_code import gradients_by_own_code


class Scaled(nn.Module):
    """As layers of vision transformers have it, under a name of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.gamma


class ChannelsFirst(nn.LayerNorm):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.transpose(1, -1)).transpose(1, -1)


class OwnRMSNorm(nn.Module):
    """No copy of anybody's: in its own words, with a shift."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.normalize(inputs, dim=-1, eps=1e-3) * inputs.shape[-1] ** 0.5 * self.g + self.b


few = st.integers(1, 5)
BY_WIDTH = [LlamaRMSNorm, Qwen2RMSNorm, T5LayerNorm, GemmaRMSNorm, OwnRMSNorm, Scaled]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BY_WIDTH), few, st.lists(few, max_size=2), few)
def test_copies_of_rms_norm_and_scales_agree_with_autograd(kind, examples, positions, width):
    layer = kind(width)
    generator = torch.Generator().manual_seed(3)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, generator=generator)
    assert rule_for(layer) is OWN_CODE
    # These compute in float32 whatever they are given.
    inputs = drawn(examples, *positions, width)
    if kind in (LlamaRMSNorm, Qwen2RMSNorm, GemmaRMSNorm, T5LayerNorm):
        inputs = inputs.float().double()
    assert_rule_agrees(layer, inputs)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(ChannelsFirst(3), (4, 3, 5)), (nn.PReLU(3), (4, 3, 5)), (nn.InstanceNorm1d(3, affine=True), (4, 3, 5))],
    ids=repr,
)
def test_other_layers_of_vectors_agree_too(layer, shape):
    assert rule_for(layer) is OWN_CODE
    assert_rule_agrees(layer, drawn(*shape))


def test_hooks_of_the_layer_are_not_called_again():
    layer, calls = Scaled(3), []
    layer.register_forward_hook(lambda *arguments: calls.append(1))
    gradients_by_own_code(layer, torch.ones(2, 3), torch.ones(2, 3))
    assert calls == []


class Undecided(Scaled):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.gamma if inputs.sum() > 0 else inputs


def pruned() -> nn.Module:
    layer = prune.l1_unstructured(Scaled(3), "gamma", 1)
    layer(torch.ones(2, 3))
    return layer


@pytest.mark.parametrize(
    ("layer", "width"),
    [(Undecided(3), 3), (nn.PReLU(3), 2), (pruned(), 3)],
    ids=["looks at numbers", "large", "pruned"],
)
def test_nothing_is_said_of_a_layer_that_cannot_be_run_or_is_large_or_reads_something_else(layer, width):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradients_by_own_code(layer, torch.ones(2, width), torch.ones(2, width)) == {}


@pytest.mark.parametrize(
    "layer",
    [nn.BatchNorm1d(3, track_running_stats=False), nn.ParameterList([torch.ones(3)]), nn.GRU(3, 3), nn.ReLU()],
    ids=repr,
)
def test_what_mixes_examples_or_has_no_forward_or_owns_more_than_vectors_has_no_rule(layer):
    assert rule_for(layer) is None
