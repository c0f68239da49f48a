import pytest
import torch

from thawline.errors import UserError
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope


def test_trainable_scope_follows_requires_grad(network, only_head_trainable):
    only_head_trainable(network)
    scope = resolve_scope(network, "trainable")
    assert scope.names == ("fc.weight", "fc.bias")
    assert scope.num_parameters == 7 * 5 + 5


def test_scope_all_lists_names_in_the_models_order_whatever_requires_grad(network, only_head_trainable):
    only_head_trainable(network)
    scope = resolve_scope(network, "all", ["fc.bias", "bn2.weight", "fc.weight"])
    assert scope.names == ("bn2.weight", "fc.weight", "fc.bias")


def test_digest_depends_on_the_names_only(network):
    one = resolve_scope(network, "all", ["fc.bias", "fc.weight"])
    assert one.digest == resolve_scope(network, "all", ["fc.weight", "fc.bias"]).digest
    assert one.digest != resolve_scope(network, "all", ["fc.weight"]).digest


def test_unknown_names_and_empty_scopes_are_the_users_mistake(network):
    with pytest.raises(UserError, match=r"'head\.weight', which the model does not have"):
        resolve_scope(network, "all", ["head.weight"])
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(UserError, match="no parameter is in scope"):
        resolve_scope(network, "trainable")


def test_measuring_turns_on_the_scope_alone_and_undoes_itself_after_an_error(network):
    network.train()
    network.bn1.eval()
    network.stem.weight.requires_grad_(False)
    scope = resolve_scope(network, "all", ["stem.weight", "bn2.bias"])
    before = {name: parameter.requires_grad for name, parameter in network.named_parameters()}
    inside = {}

    def measure_and_fail():
        with measuring(network, scope):
            inside["on"] = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
            inside["training"] = any(module.training for module in network.modules())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        measure_and_fail()
    assert inside == {"on": ["stem.weight", "bn2.bias"], "training": False}
    assert {name: parameter.requires_grad for name, parameter in network.named_parameters()} == before
    assert network.training
    assert network.bn2.training
    assert not network.bn1.training


def test_perturbed_weights_move_and_return_bit_for_bit(network):
    network.stem.to(memory_format=torch.channels_last)
    with torch.no_grad():
        network.fc.bias[0] = -0.0
    scope = resolve_scope(network, "trainable")
    clean = [parameter.detach().clone() for parameter in scope.parameters]
    flat = torch.randn(scope.num_parameters, generator=torch.Generator().manual_seed(1))
    with PerturbedWeights(scope) as weights:
        weights.move_to(1e6 * flat)
        weights.move_to(flat)
        moved = torch.cat([parameter.detach().reshape(-1) for parameter in scope.parameters])
        torch.testing.assert_close(moved, torch.cat([value.reshape(-1) for value in clean]) + flat, rtol=0, atol=0)
    for parameter, value in zip(scope.parameters, clean, strict=True):
        assert torch.equal(parameter.detach().view(torch.int32), value.view(torch.int32))
        assert parameter.stride() == value.stride()
