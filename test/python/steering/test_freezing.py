"""What is frozen does not move by a bit, what is unfrozen moves in that very update, the optimizer never changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from granting_channel import GrantingChannel
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import BLOCKS, HEAD, TinyTraining, adamw, build_network, make_update, sgd
from torch import Tensor, nn

from thawline.steering.blocks import blocks_from_patterns
from thawline.steering.freezing import (
    apply_trainable,
    assert_trainable,
    count_trainable,
    parameters_of,
    trainable_sha256,
)

SCHEDULE = {1: ["head"], 4: ["head", "top"], 7: ["head", "top", "stem"]}
PARAMETERS = {
    "head": {"head.weight", "head.bias"},
    "top": {"conv2.weight", "bn2.weight", "bn2.bias"},
    "stem": {"conv1.weight", "bn1.weight", "bn1.bias"},
}
subsets = st.sets(st.sampled_from(["head", "top", "stem"]))


def copy_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def moved(before: dict[str, Tensor], model: nn.Module) -> set[str]:
    """Names of the parameters that are not the same bits any more."""
    return {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}


@pytest.mark.parametrize("make_optimizer", [sgd, adamw])
def test_a_block_moves_from_its_own_update_on_and_not_before(make_optimizer: Callable) -> None:
    model = build_network()
    training = TinyTraining(GrantingChannel(SCHEDULE), model=model, optimizer=make_optimizer(model))
    training.session.begin()
    for update in range(1, 11):
        before = copy_of(model)
        training.update()
        due = [names for start, names in SCHEDULE.items() if start <= update][-1]
        expected = set().union(*(PARAMETERS[name] for name in due))
        assert moved(before, model) == expected, f"in update {update}"
        without_gradient = {name for name, parameter in model.named_parameters() if parameter.grad is None}
        assert without_gradient == {name for name, _ in model.named_parameters()} - expected


def test_batch_norm_statistics_of_frozen_layers_go_on() -> None:
    training = TinyTraining(GrantingChannel({1: ["head"]}))
    training.session.begin()
    before = copy_of(training.model)
    training.update()
    for name in ("bn1", "bn2"):
        for buffer in ("running_mean", "running_var", "num_batches_tracked"):
            assert not torch.equal(training.model.state_dict()[f"{name}.{buffer}"], before[f"{name}.{buffer}"])


@pytest.mark.parametrize("make_optimizer", [sgd, adamw])
def test_the_optimizer_keeps_its_groups_and_its_state_grows_block_by_block(make_optimizer: Callable) -> None:
    model = build_network()
    optimizer = make_optimizer(model)
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = [[id(parameter) for parameter in group["params"]] for group in optimizer.param_groups]
    training = TinyTraining(GrantingChannel(SCHEDULE), model=model, optimizer=optimizer)
    training.session.begin()
    for update in range(1, 11):
        training.update()
        assert [[id(parameter) for parameter in group["params"]] for group in optimizer.param_groups] == groups
        due = [blocks for start, blocks in SCHEDULE.items() if start <= update][-1]
        assert {names[parameter] for parameter in optimizer.state} == set().union(*(PARAMETERS[b] for b in due))


def test_freezing_again_stops_momentum_and_decay() -> None:
    model = build_network()
    blocks = blocks_from_patterns(model, BLOCKS, HEAD)
    optimizer = sgd(model)
    for update in (1, 2):
        make_update(model, optimizer, update)
    before = copy_of(model)
    apply_trainable(model, blocks, ["head"])
    make_update(model, optimizer, 3)
    assert moved(before, model) == PARAMETERS["head"]


@given(st.lists(subsets, min_size=1, max_size=5))
def test_the_mask_is_absolute(masks: list[set[str]]) -> None:
    """Whatever was applied before, the last mask alone counts."""
    model = build_network()
    blocks = blocks_from_patterns(model, BLOCKS, HEAD)
    for names in masks:
        apply_trainable(model, blocks, names)
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trainable == set().union(*(PARAMETERS[name] for name in masks[-1])) == parameters_of(blocks, masks[-1])
    assert count_trainable(model) == sum({"head": 21, "top": 228, "stem": 44}[name] for name in masks[-1])


@given(subsets, subsets)
def test_the_digest_tells_masks_apart(first: set[str], second: set[str]) -> None:
    model = build_network()
    blocks = blocks_from_patterns(model, BLOCKS, HEAD)
    apply_trainable(model, blocks, first)
    digest = trainable_sha256(model)
    apply_trainable(model, blocks, second)
    assert (trainable_sha256(model) == digest) == (first == second)


def test_the_digest_is_of_the_sorted_names_one_a_line() -> None:
    model = build_network()
    apply_trainable(model, blocks_from_patterns(model, BLOCKS, HEAD), ["head"])
    # printf 'head.bias\nhead.weight' | sha256sum
    assert trainable_sha256(model) == "4efa99025a0783c05d713fbcde382fc99380fe53a698283e24d97d95c74b7f4c"


def test_a_flag_flipped_behind_our_back_is_named() -> None:
    model = build_network()
    blocks = blocks_from_patterns(model, BLOCKS, HEAD)
    apply_trainable(model, blocks, ["head"])
    model.conv1.weight.requires_grad_(True)
    with pytest.raises(AssertionError, match=r"conv1\.weight"):
        assert_trainable(model, blocks, ["head"])


def test_a_mask_is_restored_whatever_was_done_to_it() -> None:
    model = build_network()
    mask = apply_trainable(model, blocks_from_patterns(model, BLOCKS, HEAD), ["head", "top"])
    model.conv1.weight.requires_grad_(True).grad = torch.ones(4, 1, 3, 3)
    model.conv2.weight.requires_grad_(False)
    model.head.bias.grad = torch.ones(3)
    mask.restore()
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trainable == PARAMETERS["head"] | PARAMETERS["top"]
    assert [name for name, parameter in model.named_parameters() if parameter.grad is not None] == ["head.bias"]


def test_what_should_train_and_has_neither_flag_nor_gradient_is_found() -> None:
    model = build_network()
    mask = apply_trainable(model, blocks_from_patterns(model, BLOCKS, HEAD), ["head", "top"])
    model.head.bias.requires_grad_(False).grad = torch.ones(3)  # frozen after the backward pass
    assert mask.find_frozen() is None
    model.bn2.bias.requires_grad_(False)
    assert mask.find_frozen() == "bn2.bias"


def test_a_gradient_left_on_a_frozen_parameter_is_named() -> None:
    model = build_network()
    blocks = blocks_from_patterns(model, BLOCKS, HEAD)
    apply_trainable(model, blocks, ["head"])
    model.bn2.bias.grad = torch.zeros(6)
    with pytest.raises(AssertionError, match=r"bn2\.bias"):
        assert_trainable(model, blocks, ["head"])


def test_an_unknown_block_is_refused() -> None:
    model = build_network()
    with pytest.raises(KeyError, match="layer9"):
        apply_trainable(model, blocks_from_patterns(model, BLOCKS, HEAD), ["head", "layer9"])
