import warnings

import pytest
import torch
from largest_tensor import LargestTensor
from torch import nn
from torch.func import functional_call, grad, vmap

from thawline.models.resnet import build_resnet18
from thawline.probes import ClassificationObjective, Interrupted, Prober, ProbeSet, ProbeSettings
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.layer_rules.parts import NUMBERS_AT_ONCE
from thawline.probes.scope import measuring, resolve_scope


def gradients_at_logits(logits, seed=0):
    return torch.randn(logits.shape, generator=torch.Generator().manual_seed(seed))


def norms_by_functional_transforms(network, scope, inputs, gradients):
    """The same by vmap(grad) over examples."""
    named = dict(zip(scope.names, (parameter.detach() for parameter in scope.parameters), strict=True))

    def value(parameters, image, gradient):
        return (functional_call(network, parameters, (image.unsqueeze(0),))[0] * gradient).sum()

    found = vmap(grad(value), in_dims=(None, 0, 0))(named, inputs, gradients)
    return torch.stack([gradient.flatten(1).square().sum(dim=1) for gradient in found.values()]).sum(dim=0).double()


def norms_by_hooks(network, scope, batch, passes=1):
    with measuring(network, scope):
        example_gradients = ExampleGradients(network, ClassificationObjective(), scope, [batch])
        recording = example_gradients.forward(batch)
        gradients = [gradients_at_logits(recording.logits[0], seed) for seed in range(passes)]
        return example_gradients.squared_norms(recording, [[gradient] for gradient in gradients]), gradients


FREEZINGS = {
    "all": lambda name: True,
    "head and last block": lambda name: name.split(".")[0] in ("fc", "hidden", "conv", "bn2", "shortcut"),
    "batch norm alone": lambda name: name.startswith("bn"),
    "a block with frozen blocks above": lambda name: name.startswith("stem"),
}


@pytest.mark.parametrize("freezing", FREEZINGS)
def test_norms_equal_those_of_functional_transforms(network, points, freezing):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(FREEZINGS[freezing](name))
    scope = resolve_scope(network, "trainable")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        norms, (gradients,) = norms_by_hooks(network, scope, points)
    network.eval()
    expected = norms_by_functional_transforms(network, scope, points[0], gradients)
    torch.testing.assert_close(norms, expected, rtol=1e-5, atol=0)


def test_a_network_in_double_precision_has_norms_in_double_precision(network, points):
    network.double()
    batch, scope = (points[0].double(), points[1]), resolve_scope(network, "trainable")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        norms, (gradients,) = norms_by_hooks(network, scope, batch)
    network.eval()
    expected = norms_by_functional_transforms(network, scope, batch[0], gradients)
    torch.testing.assert_close(norms, expected, rtol=1e-12, atol=0)


def test_norms_add_up_over_backward_passes(network, points):
    scope = resolve_scope(network, "trainable")
    norms, passes = norms_by_hooks(network, scope, points, passes=3)
    network.eval()
    expected = sum(norms_by_functional_transforms(network, scope, points[0], gradients) for gradients in passes)
    torch.testing.assert_close(norms, expected, rtol=1e-5, atol=0)


class Awkward(nn.Module):
    """A shared weight, a layer used twice, a layer over other dimensions, a parameter without a layer, and one that the
    logits do not depend on."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4, bias=False)
        self.tied.weight = self.embed.weight
        self.twice = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.third = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.scale = nn.Parameter(torch.full((4,), 1.5))
        self.unused = nn.Linear(4, 4)
        self.fc = nn.Linear(4, 3)

    def forward(self, inputs):
        hidden = torch.tanh(self.tied(torch.tanh(self.embed(inputs))))
        hidden = self.twice(torch.tanh(self.twice(hidden)))
        hidden = self.third(self.second(hidden.unsqueeze(0)).unsqueeze(0))[0, 0]
        return self.fc(self.norm(hidden) * self.scale)


def test_what_no_rule_fits_is_differentiated_slowly_with_one_warning_and_never_left_out():
    torch.manual_seed(0)
    network, batch = Awkward(), (torch.randn(5, 4), torch.zeros(5, dtype=torch.long))
    scope = resolve_scope(network, "trainable")
    with pytest.warns(UserWarning, match="3 of 15 parameters in scope") as caught:
        norms, passes = norms_by_hooks(network, scope, batch, passes=2)
    assert len(caught) == 1
    expected = sum(norms_by_functional_transforms(network, scope, batch[0], gradients) for gradients in passes)
    torch.testing.assert_close(norms, expected, rtol=1e-5, atol=0)


def test_no_gradient_is_written(network, points):
    network.fc.bias.grad = before = torch.ones(5)
    norms_by_hooks(network, resolve_scope(network, "trainable"), points)
    assert network.fc.bias.grad is before
    assert before.tolist() == [1.0] * 5
    assert all(p.grad is None for name, p in network.named_parameters() if name != "fc.bias")


def test_of_a_whole_network_no_tensor_is_as_large_as_the_gradients_of_its_examples():
    examples, width, side = 64, 16, 28
    network = build_resnet18(width=width, in_channels=1, num_classes=10)
    batch = (torch.randn(examples, 1, side, side), torch.zeros(examples, dtype=torch.int64))
    scope = resolve_scope(network, "trainable")
    with LargestTensor() as largest:
        norms_by_hooks(network, scope, batch)
    activations = examples * width * side * side
    of_one_layer = examples * max(parameter.numel() for parameter in scope.parameters)
    assert largest.numbers <= max(activations, 2 * NUMBERS_AT_ONCE) < of_one_layer / 8


def test_the_look_at_all_batches_is_repeated_and_can_be_interrupted() -> None:
    """A rule that fits no longer, since a hook scales what the layer reads, is found at the next look."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    inputs, labels = torch.randn(8, 4), torch.arange(8) % 3
    probe_set = ProbeSet.split(inputs, labels, 4)
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 1

    prober = Prober(model, ClassificationObjective(), probe_set, ProbeSettings(seed=0, labels="exact", check_every=1))
    with pytest.raises(Interrupted):
        prober.measure(1, ["fisher_trace"], should_stop)
    assert len(asked) == 2
    prober.measure(2, ["fisher_trace"])
    model[0].register_forward_pre_hook(lambda module, args: (args[0] * module.weight.mean(),))
    with pytest.warns(UserWarning, match="differentiated example by example"):
        found = prober.measure(3, ["fisher_trace"])[0].value
    fresh = Prober(model, ClassificationObjective(), probe_set, ProbeSettings(seed=0, labels="exact"))
    with pytest.warns(UserWarning, match="differentiated example by example"):
        assert found == fresh.measure(1, ["fisher_trace"])[0].value
