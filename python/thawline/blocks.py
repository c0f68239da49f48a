"""The model as blocks: the units that gradual unfreezing makes trainable one by one (Algorithm 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thawline.errors import UserError

if TYPE_CHECKING:
    from torch import nn

HEAD_NAME = "head"


@dataclass(frozen=True)
class Block:
    """Parameters that are frozen and unfrozen together, by their names in the model."""

    name: str
    parameter_names: tuple[str, ...]
    num_params: int


@dataclass(frozen=True)
class BlockMap:
    """The blocks from the top (nearest the head) down, and the head, which is trainable from the start."""

    blocks: tuple[Block, ...]
    head: Block

    @property
    def num_params(self) -> int:
        return self.head.num_params + sum(block.num_params for block in self.blocks)


def resnet18_blocks(model: nn.Module) -> BlockMap:
    """layer4, layer3, layer2, layer1, stem (first convolution and its BatchNorm), and the head."""
    stages = [(f"layer{i}", rf"^layer{i}\.") for i in (4, 3, 2, 1)]
    return blocks_from_patterns(model, [*stages, ("stem", r"^(conv1|bn1)\.")], r"^head\.")


def vgg11_blocks(model: nn.Module) -> BlockMap:
    """conv8 .. conv1, each with the BatchNorm after it if there is one, and the head of three linear layers."""
    return blocks_from_patterns(model, [(f"conv{i}", rf"^(conv|bn){i}\.") for i in range(8, 0, -1)], r"^head\.")


def blocks_from_patterns(model: nn.Module, patterns: Sequence[tuple[str, str]], head_pattern: str) -> BlockMap:
    """Blocks from (name, regular expression) pairs, top first; an expression is searched for in parameter names.

    Raises UserError `invalid_blocks` unless every parameter of the model is in exactly one block or in the head, every
    block has a parameter, and block names are unique (`head` is taken).
    """
    named = [*patterns, (HEAD_NAME, head_pattern)]
    names = [name for name, _ in named]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise _invalid(f"the block name {duplicate!r} is used twice")
    expressions = [(name, _compile(name, pattern)) for name, pattern in named]
    members: dict[str, list[str]] = {name: [] for name in names}
    sizes = dict.fromkeys(names, 0)
    for parameter_name, parameter in model.named_parameters():
        owners = [name for name, expression in expressions if expression.search(parameter_name)]
        if len(owners) > 1:
            raise _invalid(f"the parameter {parameter_name} is in more than one block: {', '.join(owners)}")
        for owner in owners:
            members[owner].append(parameter_name)
            sizes[owner] += parameter.numel()
    _check_complete(model, members, dict(named))
    blocks = tuple(Block(name, tuple(members[name]), sizes[name]) for name in names)
    return BlockMap(blocks=blocks[:-1], head=blocks[-1])


def _check_complete(model: nn.Module, members: dict[str, list[str]], patterns: dict[str, str]) -> None:
    for name, parameter_names in members.items():
        if not parameter_names:
            raise _invalid(f"the pattern {patterns[name]!r} of block {name!r} matches no parameter")
    assigned = {parameter_name for names in members.values() for parameter_name in names}
    missing = [parameter_name for parameter_name, _ in model.named_parameters() if parameter_name not in assigned]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise _invalid(f"no block has the parameters {shown}")


def _compile(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise _invalid(f"the pattern {pattern!r} of block {name!r} is not a regular expression ({error})") from error


def _invalid(message: str) -> UserError:
    return UserError("invalid_blocks", message, hint="Every parameter must match exactly one block or the head.")
