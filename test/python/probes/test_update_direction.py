"""What a copy of an optimizer would do is what the optimizer itself does next, and nothing of the training notices."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from thawline.errors import UserError
from thawline.probes import UpdateRule
from thawline.probes.scope import Scope, resolve_scope
from thawline.probes.update_direction import update_direction

RATE = 0.25

OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=RATE, weight_decay=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=RATE, momentum=0.9, nesterov=True),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.1),
    "fused": lambda parameters: torch.optim.AdamW(parameters, lr=RATE, fused=True),
    "amsgrad": lambda parameters: torch.optim.Adam(parameters, lr=RATE, amsgrad=True, foreach=True),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=RATE, momentum=0.5),
    "tensor rate": lambda parameters: torch.optim.Adam(parameters, lr=torch.tensor(RATE)),
}


def network_of(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def give_gradients(network, seed):
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def flat_gradient(network):
    return torch.cat([parameter.grad.reshape(-1) for parameter in network.parameters()])


def weights_of(network):
    return torch.cat([parameter.detach().reshape(-1) for parameter in network.parameters()])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_the_next_step_over_the_learning_rate(name):
    network = network_of()
    optimizer = OPTIMIZERS[name](network.parameters())
    for step in range(3):
        give_gradients(network, step)
        optimizer.step()
    give_gradients(network, 9)
    found = update_direction(UpdateRule(optimizer), resolve_scope(network, "trainable"), flat_gradient(network))
    before = weights_of(network)
    optimizer.step()
    torch.testing.assert_close(found.float(), (before - weights_of(network)) / RATE, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_neither_model_nor_optimizer_notices(name):
    """Bit for bit, also the gradients, in the training that goes on; and no hook hears of the copy's step."""
    plain, probed = network_of(), network_of()
    heard = []
    handle = register_optimizer_step_pre_hook(lambda *_: heard.append("global"))
    try:
        optimizers = [OPTIMIZERS[name](network.parameters()) for network in (plain, probed)]
        optimizers[1].register_step_post_hook(lambda *_: heard.append("own"))
        scheduler = torch.optim.lr_scheduler.ConstantLR(optimizers[1], factor=1.0)
        for step in range(4):
            for network, optimizer in zip((plain, probed), optimizers, strict=True):
                give_gradients(network, step)
                optimizer.step()
            scheduler.step()
            told, gradients = len(heard), [parameter.grad for parameter in probed.parameters()]
            update_direction(UpdateRule(optimizers[1]), resolve_scope(probed, "trainable"), 2 * flat_gradient(probed))
            assert len(heard) == told
            assert all(p.grad is before for p, before in zip(probed.parameters(), gradients, strict=True))
            assert torch.equal(weights_of(plain), weights_of(probed))
    finally:
        handle.remove()


def test_only_what_is_in_scope_takes_part():
    network = network_of()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9)
    give_gradients(network, 0)
    optimizer.step()
    give_gradients(network, 1)
    whole = update_direction(UpdateRule(optimizer), resolve_scope(network, "trainable"), flat_gradient(network))
    scope = Scope(("2.weight", "2.bias"), (network[2].weight, network[2].bias))
    gradient = torch.cat([parameter.grad.reshape(-1) for parameter in scope.parameters])
    assert torch.equal(update_direction(UpdateRule(optimizer), scope, gradient), whole[-scope.num_parameters :])


def test_a_parameter_without_momentum_beside_others_steps_as_if_released_now():
    network = network_of()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, fused=True)
    give_gradients(network, 0)
    network[0].weight.grad = network[0].bias.grad = None
    optimizer.step()
    give_gradients(network, 1)
    gradient = flat_gradient(network)
    found = update_direction(UpdateRule(optimizer), resolve_scope(network, "trainable"), gradient)
    below = network[0].weight.numel() + network[0].bias.numel()
    assert torch.allclose(found[:below].float(), gradient[:below])
    assert not torch.allclose(found[below:].float(), gradient[below:])


def test_rates_of_groups_keep_their_proportions_where_they_are_the_scripts_own():
    network = network_of()
    groups = [{"params": network[0].parameters(), "lr": 0.01}, {"params": network[2].parameters(), "lr": 0.04}]
    optimizer = torch.optim.SGD(groups)
    give_gradients(network, 0)
    gradient, scope = flat_gradient(network), resolve_scope(network, "trainable")
    below = network[0].weight.numel() + network[0].bias.numel()
    own = update_direction(UpdateRule(optimizer), scope, gradient).float()
    assert torch.allclose(own[:below], gradient[:below] / 4)
    assert torch.allclose(own[below:], gradient[below:])
    common = update_direction(UpdateRule(optimizer, has_own_rates=False), scope, gradient).float()
    assert torch.allclose(common, gradient)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    assert torch.allclose(update_direction(UpdateRule(optimizer), scope, gradient).float(), gradient)


class Stubborn(torch.optim.SGD):
    """Moves the weights that it was made with, whatever is in its groups."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=RATE)
        hidden = [parameter.detach() for group in self.param_groups for parameter in group["params"]]
        self.move = lambda: [weight.add_(1.0) for weight in hidden]

    def step(self):
        self.move()


class Nameless(torch.optim.SGD):
    def step(self):
        raise AssertionError("this optimizer needs its own forward pass")


def without_rate(parameters):
    optimizer = torch.optim.SGD(parameters, lr=RATE)
    optimizer.param_groups[0]["lr"] = None
    return optimizer


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (torch.optim.LBFGS, "LBFGS does not show: its step asks for a closure"),
        (lambda parameters: torch.optim.SGD(parameters, lr=1.0, maximize=True), "it maximizes"),
        (lambda parameters: torch.optim.SGD(list(parameters)[2:], lr=1.0), "does not hold 0.weight"),
        (without_rate, "no learning rate `lr`"),
        (Stubborn, "has moved the model's own weights"),
        (Nameless, "Nameless does not show: no step can be made on a copy of it .AssertionError: this optimizer needs"),
    ],
)
def test_an_optimizer_without_a_step_on_a_copy_is_refused_by_name(make, why):
    network = network_of()
    rule = UpdateRule(make(network.parameters()))
    with pytest.raises(UserError, match=why):
        update_direction(rule, resolve_scope(network, "trainable"), torch.zeros(26))


def test_small_steps_are_not_lost_to_rounding():
    """In float32 the difference of weights before and after such a step would be off by a tenth."""
    network = network_of()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    give_gradients(network, 0)
    gradient = 1e-7 * flat_gradient(network)
    found = update_direction(UpdateRule(copy.copy(optimizer)), resolve_scope(network, "trainable"), gradient)
    assert torch.allclose(found, gradient.double(), rtol=1e-6)
