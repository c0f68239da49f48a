import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_gradients import assert_rule_agrees, drawn
from torch import nn

from thawline.probes.layer_rules.choice import rule_for

few = st.integers(1, 5)


def away_from_start(layer):
    generator = torch.Generator().manual_seed(3)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, 0.5, 2, generator=generator)
    return layer


@settings(max_examples=60, deadline=None)
@given(few, st.lists(few, max_size=2), st.lists(few, min_size=1, max_size=2), st.booleans())
def test_layers_over_the_last_dimensions_agree_with_autograd(examples, positions, normalized, bias):
    """No positions at all, one, and several; one dimension that is normalised, and two."""
    inputs = drawn(examples, *positions, *normalized)
    assert_rule_agrees(away_from_start(nn.LayerNorm(normalized, eps=0.1, bias=bias)), inputs)
    assert_rule_agrees(away_from_start(nn.RMSNorm(normalized, eps=0.1)), inputs)


@settings(max_examples=40, deadline=None)
@given(few, few, few, st.lists(few, max_size=3))
def test_layers_over_channels_agree_with_autograd(examples, groups, per_group, positions):
    channels = groups * per_group
    inputs = drawn(examples, channels, *positions)
    if inputs[0].numel() > groups:
        assert_rule_agrees(away_from_start(nn.GroupNorm(groups, channels, eps=0.1)), inputs)
    if len(positions) in (0, 1, 2, 3):
        kind = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(positions)]
        layer = away_from_start(kind(channels))
        layer.running_mean.normal_(generator=torch.Generator().manual_seed(4))
        layer.running_var.uniform_(0.5, 2, generator=torch.Generator().manual_seed(5))
        assert_rule_agrees(layer, inputs)


@pytest.mark.parametrize("layer", [nn.LayerNorm(4, elementwise_affine=False), nn.GroupNorm(2, 4, affine=False)])
def test_a_layer_without_parameters_needs_no_rule(layer):
    assert rule_for(layer) is None


def test_a_batch_norm_without_statistics_mixes_examples_and_has_no_rule():
    assert rule_for(nn.BatchNorm2d(2, track_running_stats=False)) is None
