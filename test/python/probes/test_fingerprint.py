import copy

import pytest
import torch
from torch import nn

from thawline.probes.fingerprint import fingerprint, num_bytes, tensors_outside


def tensors_of(network):
    return [*network.parameters(), *network.buffers()]


def negate_one_weight(network):
    network.conv.weight.data[0, 0, 0, 0].neg_()


CHANGES = {
    "an optimizer's step": lambda network: network.stem.weight.detach().add_(1e-9),
    "a write through .data": negate_one_weight,
    "statistics moved by a forward pass": lambda network: network.train()(torch.randn(4, 2, 6, 6)),
    "statistics moved without counting batches": lambda network: nn.functional.batch_norm(
        torch.randn(4, 4, 6, 6), network.bn1.running_mean, network.bn1.running_var, training=True
    ),
    "a checkpoint loaded": lambda network: network.load_state_dict(copy.deepcopy(network.state_dict())),
    "a tensor replaced": lambda network: setattr(network.bn1, "running_var", network.bn1.running_var.clone()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_kind_of_write_is_seen(network, change):
    before = tensors_of(network)
    found = fingerprint(before)
    assert fingerprint(before) == found
    with torch.random.fork_rng():
        torch.manual_seed(0)
        change(network)
    assert fingerprint(tensors_of(network)) != found


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.bfloat16, torch.float64])
def test_every_type_and_layout_is_read_whole(dtype):
    tensor = torch.zeros(2, 3, 4, 5, dtype=dtype).to(memory_format=torch.channels_last)
    scalar = torch.zeros((), dtype=dtype)
    before = fingerprint([tensor, scalar])
    tensor.data[1, 2, 3, 4] = 1
    after = fingerprint([tensor, scalar])
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


def test_what_is_outside_are_all_tensors_but_those_of_the_modules_alone(network):
    outside = {id(tensor) for tensor in tensors_outside(network, [network.fc, network.bn2])}
    names = {name for name, tensor in network.state_dict(keep_vars=True).items() if id(tensor) not in outside}
    assert names == {name for name in network.state_dict() if name.startswith(("fc.", "bn2."))}
    network.hidden.bias = network.stem.bias = network.fc.bias
    assert any(tensor is network.fc.bias for tensor in tensors_outside(network, [network.fc]))


def test_bytes_are_counted_by_type():
    assert num_bytes([torch.zeros(3, 2), torch.zeros(5, dtype=torch.bool)]) == 29
