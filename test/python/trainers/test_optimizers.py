from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.config.run import ConstantSchedule, TrainConfig
from thawline.steering.blocks import blocks_from_patterns
from thawline.steering.group_blocks import find_mixed_group
from thawline.trainers.optimizers import build_adamw, build_optimizer, build_sgd, clip_gradients


def small_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))


def settings(momentum: float) -> TrainConfig:
    return TrainConfig("sgd", 0.1, momentum, 0.01, 8, None, 12, ConstantSchedule(), None)


def train(momentum: float, fused: bool) -> dict[str, Tensor]:
    """Twelve updates; the convolution is frozen until the sixth, as a block is."""
    model = small_model()
    optimizer = build_sgd(model, settings(momentum), fused=fused)
    generator = torch.Generator().manual_seed(1)
    for update in range(1, 13):
        for parameter in model[0].parameters():
            parameter.requires_grad_(update >= 6)
        inputs = torch.randn(8, 1, 8, 8, generator=generator)
        labels = torch.randint(0, 3, (8,), generator=generator)
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_fused_sgd_trains_through_a_release_to_the_same_weights(momentum: float) -> None:
    plain, fused = train(momentum, fused=False), train(momentum, fused=True)
    for name in plain:
        torch.testing.assert_close(fused[name], plain[name], rtol=1e-4, atol=1e-6)
    assert not torch.equal(plain["0.weight"], small_model().state_dict()["0.weight"])


class Normalised(nn.Module):
    """Two layers and a LayerNorm whose name says nothing of what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.between = nn.Linear(3, 4), nn.Linear(4, 2), nn.LayerNorm(4)


def names_by_decay(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[float, set[str]]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {group["weight_decay"]: {names[id(one)] for one in group["params"]} for group in optimizer.param_groups}


def test_adamw_decays_neither_biases_nor_norms() -> None:
    model = Normalised()
    assert names_by_decay(build_adamw(model, 0.1, weight_decay=0.3), model) == {
        0.3: {"first.weight", "second.weight"},
        0.0: {"first.bias", "second.bias", "between.weight", "between.bias"},
    }


def test_what_never_trains_is_in_no_group() -> None:
    model = Normalised()
    optimizer = build_adamw(model, 0.1, weight_decay=0.3, trained={"second.weight", "between.bias"})
    assert names_by_decay(optimizer, model) == {0.3: {"second.weight"}, 0.0: {"between.bias"}}


def test_the_configuration_chooses_the_optimizer() -> None:
    train = TrainConfig("adamw", 0.1, 0.0, 0.3, 8, None, 12, ConstantSchedule(), None)
    assert isinstance(build_optimizer(Normalised(), train, fused=False), torch.optim.AdamW)
    assert isinstance(build_optimizer(Normalised(), settings(0.9), fused=False), torch.optim.SGD)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_groups_by_block_hold_one_block_each_and_train_to_the_same_bits(name: Literal["sgd", "adamw"]) -> None:
    def trained(by_block: bool) -> dict[str, Tensor]:
        torch.manual_seed(0)
        model = Normalised()
        block_map = blocks_from_patterns(model, [("top", "^between"), ("stem", "^first")], "^second")
        train = TrainConfig(name, 0.1, 0.9, 0.3, 8, None, 12, ConstantSchedule(), None)
        optimizer = build_optimizer(model, train, fused=False, block_map=block_map if by_block else None)
        assert (find_mixed_group(optimizer.param_groups, model, block_map) is None) == by_block
        for _ in range(4):
            optimizer.zero_grad()
            model.second(model.between(model.first(torch.ones(2, 3)))).square().sum().backward()
            clip_gradients(optimizer, 0.5)
            optimizer.step()
        return model.state_dict()

    whole, split = trained(False), trained(True)
    assert all(torch.equal(split[name], tensor) for name, tensor in whole.items())


def test_gradients_of_all_groups_are_scaled_together_and_only_down() -> None:
    model = Normalised()
    optimizer = build_adamw(model, 0.1, weight_decay=0.3)
    model.first.weight.grad, model.between.bias.grad = torch.full((4, 3), 2.0), torch.full((4,), 2.0)
    clip_gradients(optimizer, None)
    clip_gradients(optimizer, 100.0)
    torch.testing.assert_close(model.first.weight.grad, torch.full((4, 3), 2.0))
    clip_gradients(optimizer, 1.0)  # the norm of sixteen twos is 8
    torch.testing.assert_close(model.first.weight.grad, torch.full((4, 3), 0.25), atol=1e-5, rtol=0)
    torch.testing.assert_close(model.between.bias.grad, torch.full((4,), 0.25), atol=1e-5, rtol=0)
