import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from largest_tensor import LargestTensor
from layer_gradients import assert_rule_agrees, drawn, norms_by_autograd, norms_by_rule
from torch import nn

from thawline.probes.layer_rules import convolution, parts
from thawline.probes.layer_rules.choice import rule_for
from thawline.probes.layer_rules.convolution import convolution_by_gram, convolution_by_product, geometry_of

LAYERS = {
    "convolution": (nn.Conv2d(2, 3, 3, padding=1), (4, 2, 6, 5)),
    "strided and dilated": (nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), (4, 2, 7, 6)),
    "grouped": (nn.Conv2d(4, 6, 3, groups=2), (4, 4, 5, 5)),
    "depthwise": (nn.Conv2d(4, 8, 3, groups=4, padding="valid"), (4, 4, 5, 5)),
    "wide on a small image": (nn.Conv2d(16, 16, 3, padding=1), (4, 16, 2, 2)),
    "over a line": (nn.Conv1d(3, 4, 3, padding=2), (4, 3, 7)),
    "over a line, strided and dilated": (nn.Conv1d(3, 4, 3, stride=2, dilation=2), (4, 3, 9)),
    "depthwise over a line": (nn.Conv1d(4, 4, 3, groups=4, bias=False), (4, 4, 6)),
    "over a line of one": (nn.Conv1d(3, 4, 1), (4, 3, 1)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("numbers_at_once", [1, 2**20])
def test_rules_agree_with_autograd_example_by_example(name, numbers_at_once, monkeypatch):
    monkeypatch.setattr(parts, "NUMBERS_AT_ONCE", numbers_at_once)
    layer, shape = LAYERS[name]
    assert_rule_agrees(layer, drawn(*shape))


few = st.integers(1, 3)


@settings(max_examples=60, deadline=None)
@given(few, few, few, few, few, few, few, st.integers(0, 2), st.booleans(), st.booleans())
def test_rules_agree_with_autograd_for_every_geometry(
    examples, groups, channels_in, channels_out, kernel, stride, dilation, padding, bias, is_line
):
    kind, dimensions = (nn.Conv1d, 1) if is_line else (nn.Conv2d, 2)
    sizes = {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups, "bias": bias}
    layer = kind(groups * channels_in, groups * channels_out, kernel, **sizes)
    assert_rule_agrees(layer, drawn(examples, groups * channels_in, *[(kernel - 1) * dilation + 2] * dimensions))


@pytest.mark.parametrize("form", [convolution_by_product, convolution_by_gram])
@pytest.mark.parametrize("name", [name for name, (layer, _) in LAYERS.items() if isinstance(layer, nn.Conv2d)])
def test_both_forms_hold_for_every_convolution(name, form):
    layer, shape = LAYERS[name]
    layer, inputs = layer.double(), drawn(*shape)
    gradients = drawn(*layer(inputs).shape, seed=1)
    expected = norms_by_autograd(layer, inputs, gradients)["weight"]
    torch.testing.assert_close(form(geometry_of(layer), inputs, gradients), expected)


@pytest.mark.parametrize(("channels", "side"), [(8, 32), (64, 4)], ids=["by product", "by Gram matrices"])
def test_gradients_of_single_examples_are_never_held_for_a_whole_batch(channels, side, monkeypatch):
    examples, numbers_at_once = 200, 2**16
    monkeypatch.setattr(parts, "NUMBERS_AT_ONCE", numbers_at_once)
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    inputs = torch.randn(1, channels, side, side).expand(examples, -1, -1, -1)
    with LargestTensor() as largest:
        norms_by_rule(layer, inputs, inputs)
    all_patches = inputs.numel() * 9
    assert largest.numbers <= max(inputs.numel(), 2 * numbers_at_once) < all_patches


@pytest.mark.parametrize(("device", "parts_taken"), [("cpu", 64), ("meta", 1)])
def test_off_the_cpu_the_examples_are_not_taken_apart(device, parts_taken, monkeypatch):
    """`meta` stands for a GPU: each part is so many launches. On the CPU each of these examples is a part."""
    calls = []

    def form(geometry, inputs, gradients):
        calls.append(len(inputs))
        return gradients.new_zeros(len(inputs))

    monkeypatch.setattr(convolution, "convolution_by_product", form)
    monkeypatch.setattr(parts, "NUMBERS_AT_ONCE", 2**10)
    layer = nn.Conv2d(64, 64, 3, padding=1, bias=False, device=device)
    inputs = torch.empty(1, 64, 32, 32, device=device).expand(64, -1, -1, -1)
    assert norms_by_rule(layer, inputs, inputs)["weight"].shape == (64,)
    assert len(calls) == parts_taken


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"),
        nn.Conv2d(2, 2, 3, padding="same"),
        nn.ConvTranspose2d(2, 2, 3),
        nn.Conv3d(2, 2, 3),
    ],
    ids=repr,
)
def test_convolutions_that_compute_something_else_have_no_rule(layer):
    assert rule_for(layer) is None
