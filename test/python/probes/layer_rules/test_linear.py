import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from largest_tensor import LargestTensor
from layer_gradients import assert_rule_agrees, drawn
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from thawline.probes.layer_rules import parts
from thawline.probes.layer_rules.choice import LINEAR, TRANSPOSED_LINEAR, rule_for

few = st.integers(1, 6)


class Renamed(nn.Module):
    """What `nn.Linear` computes, in another class."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width_out, width_in))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs @ self.weight.T


@settings(max_examples=60, deadline=None)
@given(st.lists(few, min_size=1, max_size=3), few, few, st.booleans(), st.sampled_from([1, 2**19]))
def test_rules_agree_with_autograd_for_every_shape(shape, width_in, width_out, bias, numbers_at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "NUMBERS_AT_ONCE", numbers_at_once)
        inputs = drawn(*shape, width_in)
        assert_rule_agrees(nn.Linear(width_in, width_out, bias=bias), inputs)
        assert_rule_agrees(Conv1D(width_out, width_in), inputs)
        assert_rule_agrees(Renamed(width_in, width_out), inputs)


def test_layers_are_known_by_what_they_multiply_by():
    torch.manual_seed(0)
    for width_in, width_out in ((3, 3), (3, 5)):
        assert rule_for(nn.Linear(width_in, width_out)) is LINEAR
        assert rule_for(Renamed(width_in, width_out)) is LINEAR
        assert rule_for(Conv1D(width_out, width_in)) is TRANSPOSED_LINEAR


class Doubled(nn.Linear):
    def forward(self, inputs: Tensor) -> Tensor:
        return 2 * super().forward(inputs)


class Refusing(nn.Linear):
    def forward(self, inputs: Tensor) -> Tensor:
        raise ValueError("needs a mask")


@pytest.mark.parametrize(
    "layer", [Doubled(2, 2), Refusing(2, 2), nn.Bilinear(2, 2, 2), nn.EmbeddingBag(2, 2)], ids=repr
)
def test_layers_that_compute_something_else_have_no_rule(layer):
    assert rule_for(layer) is None


@pytest.mark.parametrize(("width", "positions"), [(64, 50), (256, 100)], ids=["by product", "by Gram matrices"])
def test_gradients_of_single_examples_are_never_held_for_a_whole_batch(width, positions, monkeypatch):
    examples, numbers_at_once = 300, 2**14
    monkeypatch.setattr(parts, "NUMBERS_AT_ONCE", numbers_at_once)
    layer = nn.Linear(width, width)
    inputs = torch.randn(examples, positions, width)
    with LargestTensor() as largest:
        LINEAR.gradients(layer, inputs, inputs)["weight"].squared_norms()
    assert largest.numbers <= max(numbers_at_once, inputs.numel()) < examples * width * width
