"""Groups by block: pure, complete, in order, and without a trace in what an optimizer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import BLOCKS, HEAD, TinyNetwork, build_network, make_update
from torch import nn

from thawline.steering.blocks import BlockMap, blocks_from_patterns
from thawline.steering.group_blocks import find_mixed_group, split_by_block

DECAYED = {"weight_decay": 0.1}


def map_of(model: nn.Module) -> BlockMap:
    return blocks_from_patterns(model, BLOCKS, HEAD)


def names_of(model: nn.Module, groups: list[dict[str, Any]]) -> list[list[str]]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [[names[id(parameter)] for parameter in group["params"]] for group in groups]


def test_a_group_is_cut_where_a_block_ends_and_keeps_its_options() -> None:
    model = build_network()
    groups = split_by_block([{"params": list(model.parameters()), "lr": 0.5, **DECAYED}], model, map_of(model))
    assert names_of(model, groups) == [
        ["conv1.weight", "bn1.weight", "bn1.bias"],
        ["conv2.weight", "bn2.weight", "bn2.bias"],
        ["head.weight", "head.bias"],
    ]
    assert all((group["lr"], group["weight_decay"]) == (0.5, 0.1) for group in groups)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_nothing_is_lost_or_moved_and_no_group_is_mixed(order: list[int], first_size: int) -> None:
    model = build_network()
    parameters = [list(model.parameters())[place] for place in order]
    given_groups = [{"params": parameters[:first_size], **DECAYED}, {"params": parameters[first_size:]}]
    groups = split_by_block(given_groups, model, map_of(model))
    assert [id(parameter) for group in groups for parameter in group["params"]] == [id(one) for one in parameters]
    assert [("weight_decay" in group) for group in groups for _ in group["params"]] == [
        place < first_size for place in range(8)
    ]
    assert all(group["params"] for group in groups)
    assert find_mixed_group(groups, model, map_of(model)) is None


def test_the_first_mixed_group_is_named_with_its_blocks() -> None:
    model = build_network()
    head, rest = list(model.head.parameters()), [*model.bn1.parameters(), *model.conv2.parameters()]
    assert find_mixed_group([{"params": head}, {"params": rest}], model, map_of(model)) == (1, ["top", "stem"])
    assert find_mixed_group([{"params": [*rest, *head]}], model, map_of(model)) == (0, ["head", "top", "stem"])


def test_a_block_that_trains_from_the_start_may_stand_with_the_head_and_what_never_trains_anywhere() -> None:
    model = build_network()
    whole = map_of(model)
    from_start = BlockMap(whole.blocks, whole.head, trainable_from_start=("top",))
    groups = [{"params": [*model.head.parameters(), *model.conv2.parameters()]}]
    assert find_mixed_group(groups, model, whole) == (0, ["head", "top"])
    assert find_mixed_group(groups, model, from_start) is None
    frozen = nn.Parameter(torch.zeros(3))
    assert find_mixed_group([{"params": [frozen, *model.head.parameters()]}], model, whole) is None


OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.1),
    "sgd, foreach": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.1, foreach=True),
    "sgd, fused": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.1, fused=True),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1),
    "adamw, foreach": lambda groups: torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1, foreach=True),
    "adamw, fused": lambda groups: torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1, fused=True),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=0.01, momentum=0.5),
}


def clip(optimizer: torch.optim.Optimizer, *_: object) -> None:
    nn.utils.clip_grad_norm_([parameter for group in optimizer.param_groups for parameter in group["params"]], 0.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_makes_the_same_updates_of_groups_by_block_bit_for_bit(name: str) -> None:
    def train(by_block: bool) -> TinyNetwork:
        model = build_network()
        groups = [{"params": list(model.parameters())}]
        optimizer = OPTIMIZERS[name](split_by_block(groups, model, map_of(model)) if by_block else groups)
        optimizer.register_step_pre_hook(clip)
        for update in range(1, 6):
            make_update(model, optimizer, update)
        return model

    whole, split = train(False).state_dict(), train(True).state_dict()
    assert [tensor.equal(split[name]) for name, tensor in whole.items()] == [True] * len(whole)
    assert not whole["conv1.weight"].equal(build_network().state_dict()["conv1.weight"])
