import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from thawline.models.resnet import build_resnet18
from thawline.trainers.memory_format import memory_format_for

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("capability", "narrowest"), [("AVX2", 8), ("AVX512", 16)], ids=["8 floats a register", "16 floats a register"]
)
def test_strided_1x1_convolutions_narrower_than_a_register_keep_their_network_contiguous(
    capability, narrowest, monkeypatch
):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    for width in (2, 4, 7, 8, 12, 16, 64):
        network = build_resnet18(width=width, in_channels=1, num_classes=10)
        expected = torch.channels_last if width >= narrowest else torch.contiguous_format
        assert memory_format_for(network, CPU) == expected
        assert memory_format_for(network, torch.device("cuda")) == torch.channels_last


@pytest.mark.parametrize(
    "module", [nn.Conv2d(3, 8, 1), nn.Conv2d(3, 8, 3, stride=2), nn.Conv2d(32, 8, 1, stride=2), nn.Linear(3, 8)]
)
def test_of_other_layers_any_number_of_channels_is_channels_last(module):
    assert memory_format_for(nn.Sequential(module), CPU) == torch.channels_last


@pytest.mark.parametrize("width", [2, 4, 8])
def test_gradients_of_narrow_networks_are_right(width):
    """With channels_last those of width 2 and 4 are wrong on a CPU with AVX2, where the process survives them at all.

    Rounding, which decides over some ReLU units, makes 0.2 % of difference; the fault made hundreds of times the value.
    """
    torch.manual_seed(0)
    network = build_resnet18(width=width, in_channels=3, num_classes=10)
    exact = copy.deepcopy(network).double()
    memory_format = memory_format_for(network, CPU)
    network.to(memory_format=memory_format)  # type: ignore[call-overload]
    images, labels = torch.randn(33, 3, 32, 32), torch.randint(0, 10, (33,))
    functional.cross_entropy(network(images.contiguous(memory_format=memory_format)), labels).backward()
    functional.cross_entropy(exact(images.double()), labels).backward()
    for (name, parameter), expected in zip(network.named_parameters(), exact.parameters(), strict=True):
        error = (parameter.grad - expected.grad).norm() / expected.grad.norm()
        assert error < 0.02, name
