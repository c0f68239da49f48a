"""Mistakes in the arguments of `attach` are named before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_training import BLOCKS, HEAD, build_network, draw_batch, sgd
from torch import nn

from thawline.attached.arguments import Probe, Training, check_arguments
from thawline.errors import UserError
from thawline.probes import ClassificationObjective, MultiLabelObjective
from thawline.steering.freezing import apply_trainable


def check(**changes: Any) -> Training:
    model = changes.pop("model", None) or build_network()
    arguments: dict[str, Any] = {
        "optimizer": sgd(model) if isinstance(model, nn.Module) else None,
        "blocks": BLOCKS,
        "head": HEAD,
        "probe": None,
        "num_updates": None,
        "resumed_from": 0,
    }
    return check_arguments(model, **(arguments | changes))


def test_blocks_and_head_as_given() -> None:
    block_map = check(num_updates=10, resumed_from=10, probe=Probe([draw_batch(1)])).block_map
    assert [block.name for block in block_map.blocks] == ["top", "stem"]
    assert block_map.head.parameter_names == ("head.weight", "head.bias")


def test_without_an_expression_the_head_is_what_is_in_no_block() -> None:
    assert check(head=None).block_map == check().block_map
    rest = check(head=None, blocks=[("top", r"^conv2\.")]).block_map.head.parameter_names
    assert set(rest) == {name for name, _ in build_network().named_parameters()} - {"conv2.weight"}


@pytest.mark.parametrize("head", [None, HEAD])
def test_what_is_frozen_already_and_in_no_block_stays_so(head: str | None) -> None:
    """Nobody has to name it, and the optimizer need not hold it."""
    model = build_network()
    for parameter in model.conv1.parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.SGD([parameter for parameter in model.parameters() if parameter.requires_grad], lr=0.1)
    blocks = [(name, pattern) for name, pattern in BLOCKS if name != "stem"]
    if head is not None:
        blocks.append(("rest", r"^bn1\."))
    training = check(model=model, optimizer=optimizer, blocks=blocks, head=head)
    block_map = training.block_map
    names = {name for block in (block_map.head, *block_map.blocks) for name in block.parameter_names}
    assert names == {name for name, _ in model.named_parameters()} - {"conv1.weight"}
    apply_trainable(model, block_map, [block.name for block in (block_map.head, *block_map.blocks)])
    assert [name for name, parameter in model.named_parameters() if not parameter.requires_grad] == ["conv1.weight"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "resnet"}, "`model` must be a torch.nn.Module, got 'resnet'"),
        ({"optimizer": object}, "`optimizer` must be a torch.optim.Optimizer, got <class 'object'>"),
        ({"blocks": "layer4"}, "`blocks` must be a list of .* pairs of strings, got 'layer4'"),
        ({"blocks": ["ab", "cd"]}, "`blocks` must be a list of .* pairs of strings, got \\['ab', 'cd'\\]"),
        ({"blocks": [("top", 4)]}, "`blocks` must be"),
        ({"blocks": [("top", "(")]}, r"`blocks` must be a list with a regular expression for 'top', got '\('"),
        ({"blocks": [("top", "(")], "head": None}, "`blocks` must be a list with a regular expression for 'top'"),
        ({"head": "["}, r"`head` must be a regular expression or None, got '\['"),
        ({"head": 4}, "`head` must be a regular expression or None, got 4"),
        ({"probe": [1, 2]}, r"`probe` must be a thawline.Probe or None, got \[1, 2\]"),
        ({"probe": Probe([])}, "`probe` must be a thawline.Probe with a list of at least one batch"),
        (
            {"probe": Probe(draw_batch(n) for n in range(2))},
            "`probe` must be .* a list of at least one batch, got <gen",
        ),
        (
            {"probe": Probe([([1.0], [2])])},
            r"`probe` must be a thawline.Probe with batches of tensors, got \(\[1.0\], ",
        ),
        ({"probe": Probe([{}])}, r"`probe` must be a thawline.Probe with batches of tensors, got \{\}"),
        ({"probe": Probe([torch.ones(2, device="meta")])}, "`probe` must be .* on cpu, as the model is, got 'meta'"),
        (
            {"probe": Probe([draw_batch(1)], "head")},
            "`probe` must be a thawline.Probe with an objective that has `logits` and `loss`, got 'head'",
        ),
        (
            {"probe": Probe([draw_batch(1)], ClassificationObjective(head_name="conv1"))},
            "`probe` must be .* whose `head_name` is that of a linear layer of the model, got 'conv1'",
        ),
        (
            {"probe": Probe([draw_batch(1)], MultiLabelObjective(head_name="conv1"))},
            "`probe` must be .* whose `head_name` is that of a linear layer of the model, got 'conv1'",
        ),
        (
            {"probe": Probe([draw_batch(1)], ClassificationObjective(head_name="fc"))},
            "`probe` must be .* whose `head_name` is that of a linear layer of the model, got 'fc'",
        ),
        (
            {"probe": Probe([draw_batch(1)], ClassificationObjective(first_layer_name="conv1"))},
            "`probe` must be .* whose `first_layer_name` is that of a linear layer of the model, got 'conv1'",
        ),
        ({"num_updates": 0}, "`num_updates` must be an integer above 0 or None, got 0"),
        ({"num_updates": True}, "`num_updates` must be an integer above 0 or None, got True"),
        ({"num_updates": 10.0}, "`num_updates` must be an integer above 0 or None, got 10.0"),
        ({"resumed_from": -1}, "`resumed_from` must be a number of completed updates, 0 or more, got -1"),
        ({"resumed_from": 9, "num_updates": 8}, r"`resumed_from` must be .*, 0 to num_updates \(8\), got 9"),
        (
            {"head": None, "blocks": [("everything", "")]},
            "`head` must be a regular expression where the blocks leave no trainable parameter, got None",
        ),
    ],
)
def test_the_argument_what_was_expected_and_what_was_got(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^attach: {message}") as caught:
        check(**changes)
    assert caught.value.code == "invalid_argument"
    assert caught.value.hint


def test_a_long_argument_is_not_printed_whole() -> None:
    with pytest.raises(UserError) as caught:
        check(blocks=["x"] * 10_000)
    assert len(caught.value.message) < 250


def test_an_optimizer_without_a_frozen_block_is_refused() -> None:
    """It would never train that block, and nobody would notice."""
    model = build_network()
    for parameter in model.conv1.parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.SGD([parameter for parameter in model.parameters() if parameter.requires_grad], lr=0.1)
    with pytest.raises(UserError, match=r"`optimizer` must hold every parameter .*, it lacks conv1\.weight\nhint: "):
        check(model=model, optimizer=optimizer)
