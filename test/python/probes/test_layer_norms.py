import pytest
import torch
from largest_tensor import LargestTensor
from torch import nn

from thawline.probes import layer_norms
from thawline.probes.layer_norms import layer_norms_for, squared_product_norms

LAYERS = {
    "linear": (nn.Linear(6, 3), (4, 6)),
    "linear over positions": (nn.Linear(6, 3), (4, 5, 6)),
    "linear over few positions, wide": (nn.Linear(40, 30), (4, 2, 40)),
    "convolution": (nn.Conv2d(2, 3, 3, padding=1), (4, 2, 6, 5)),
    "strided and dilated": (nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), (4, 2, 7, 6)),
    "grouped": (nn.Conv2d(4, 6, 3, groups=2), (4, 4, 5, 5)),
    "wide on a small image": (nn.Conv2d(16, 16, 3, padding=1), (4, 16, 2, 2)),
    "batch norm": (nn.BatchNorm2d(3), (4, 3, 5, 5)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("numbers_at_once", [1, 2**20])
def test_rules_agree_with_autograd_example_by_example(name, numbers_at_once, monkeypatch):
    monkeypatch.setattr(layer_norms, "NUMBERS_AT_ONCE", numbers_at_once)
    layer, shape = LAYERS[name]
    layer = layer.double().eval()
    generator = torch.Generator().manual_seed(0)
    if isinstance(layer, nn.BatchNorm2d):
        layer.running_mean.normal_(generator=generator)
        layer.running_var.uniform_(0.5, 2, generator=generator)
    inputs = torch.randn(shape, dtype=torch.float64, generator=generator)
    outputs = layer(inputs)
    gradients = torch.randn(outputs.shape, dtype=torch.float64, generator=generator)
    norms = layer_norms_for(layer)(layer, inputs, gradients)
    for example in range(len(inputs)):
        one = slice(example, example + 1)
        found = torch.autograd.grad(layer(inputs[one]), list(layer.parameters()), gradients[one])
        expected = dict(zip(("weight", "bias"), (gradient.square().sum() for gradient in found), strict=True))
        for parameter in ("weight", "bias"):
            torch.testing.assert_close(norms[parameter][example], expected[parameter])


@pytest.mark.parametrize("form", [layer_norms.convolution_by_product, layer_norms.convolution_by_gram])
@pytest.mark.parametrize("name", [name for name, (layer, _) in LAYERS.items() if isinstance(layer, nn.Conv2d)])
def test_both_forms_hold_for_every_convolution(name, form):
    layer, shape = LAYERS[name]
    layer = layer.double()
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(shape, dtype=torch.float64, generator=generator)
    outputs = layer(inputs)
    gradients = torch.randn(outputs.shape, dtype=torch.float64, generator=generator)
    rows = zip(outputs, gradients, strict=True)
    found = [torch.autograd.grad(out, layer.weight, g, retain_graph=True)[0] for out, g in rows]
    expected = torch.stack([gradient.square().sum() for gradient in found])
    torch.testing.assert_close(form(layer, inputs, gradients), expected)


@pytest.mark.parametrize(("channels", "side"), [(8, 32), (64, 4)], ids=["by product", "by Gram matrices"])
def test_gradients_of_single_examples_are_never_held_for_a_whole_batch(channels, side, monkeypatch):
    examples, numbers_at_once = 200, 2**16
    monkeypatch.setattr(layer_norms, "NUMBERS_AT_ONCE", numbers_at_once)
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    inputs = torch.randn(1, channels, side, side).expand(examples, -1, -1, -1)
    with LargestTensor() as largest:
        layer_norms_for(layer)(layer, inputs, inputs)
    all_patches = inputs.numel() * 9
    assert largest.numbers <= max(inputs.numel(), 2 * numbers_at_once) < all_patches


@pytest.mark.parametrize(("device", "parts"), [("cpu", 64), ("meta", 1)])
def test_off_the_cpu_the_examples_are_not_taken_apart(device, parts, monkeypatch):
    """`meta` stands for a GPU: each part is so many launches. On the CPU each of these examples is a part."""
    calls = []

    def form(module, inputs, gradients):
        calls.append(len(inputs))
        return gradients.new_zeros(len(inputs))

    monkeypatch.setattr(layer_norms, "convolution_by_product", form)
    monkeypatch.setattr(layer_norms, "NUMBERS_AT_ONCE", 2**10)
    layer = nn.Conv2d(64, 64, 3, padding=1, bias=False, device=device)
    inputs = torch.empty(1, 64, 32, 32, device=device).expand(64, -1, -1, -1)
    assert layer_norms_for(layer)(layer, inputs, inputs)["weight"].shape == (64,)
    assert len(calls) == parts


@pytest.mark.parametrize(("d", "o", "t"), [(3, 4, 9), (30, 40, 2)])
def test_the_gram_form_and_the_product_agree(d, o, t):
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(2, d, t, dtype=torch.float64, generator=generator)
    right = torch.randn(2, o, t, dtype=torch.float64, generator=generator)
    expected = torch.einsum("ndt,not->ndo", left, right).square().sum(dim=(1, 2))
    torch.testing.assert_close(squared_product_norms(left, right), expected)


class CustomLinear(nn.Linear):
    pass


@pytest.mark.parametrize(
    "layer",
    [
        CustomLinear(2, 2),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"),
        nn.Conv2d(2, 2, 3, padding="same"),
        nn.BatchNorm2d(2, track_running_stats=False),
        nn.LayerNorm(2),
    ],
    ids=repr,
)
def test_layers_that_compute_something_else_have_no_rule(layer):
    assert layer_norms_for(layer) is None
