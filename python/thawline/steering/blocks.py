"""The model as blocks: the units that gradual unfreezing makes trainable one by one (Algorithm 1)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
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
    """The blocks from the top (nearest the head) down, and the head, which is trainable from the start.

    `trainable_from_start` names the topmost blocks that, for this model, are so too.
    """

    blocks: tuple[Block, ...]
    head: Block
    trainable_from_start: tuple[str, ...] = ()

    @property
    def num_params(self) -> int:
        """Number of scalars in all blocks and the head."""
        return self.head.num_params + sum(block.num_params for block in self.blocks)


def blocks_from_patterns(
    model: nn.Module,
    patterns: Sequence[tuple[str, str]],
    head_pattern: str,
    among: Collection[str] | None = None,
) -> BlockMap:
    """Blocks from (name, regular expression) pairs, top first; an expression is searched for in parameter names.

    `among` names the parameters that blocks and head are made of, where the rest of the model never trains.
    Raises UserError `invalid_blocks` unless every one of them is in exactly one block or in the head, every block has a
    parameter, and block names are unique (`head` is taken).
    """
    named = [*patterns, (HEAD_NAME, head_pattern)]
    names = [name for name, _ in named]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise _invalid(f"the block name `{duplicate}` is used twice")
    expressions = [(name, _compile(name, pattern)) for name, pattern in named]
    members: dict[str, list[str]] = {name: [] for name in names}
    sizes = dict.fromkeys(names, 0)
    parameters = {name: found for name, found in model.named_parameters() if among is None or name in among}
    for parameter_name, parameter in parameters.items():
        owners = [name for name, expression in expressions if expression.search(parameter_name)]
        if len(owners) > 1:
            patterns_of = ", ".join(f"`{dict(named)[owner]}` of `{owner}`" for owner in owners)
            raise _invalid(f"the parameter {parameter_name} matches the patterns of more than one block: {patterns_of}")
        for owner in owners:
            members[owner].append(parameter_name)
            sizes[owner] += parameter.numel()
    _check_complete(list(parameters), members, dict(named))
    blocks = tuple(Block(name, tuple(members[name]), sizes[name]) for name in names)
    return BlockMap(blocks=blocks[:-1], head=blocks[-1])


def linear_head_name(model: nn.Module, block_map: BlockMap) -> str | None:
    """The name of the one `nn.Linear` that is the whole head; None for a head of any other form."""
    from torch import nn

    names = set(block_map.head.parameter_names)
    module_name = block_map.head.parameter_names[0].rpartition(".")[0]
    module = model.get_submodule(module_name)
    own = {f"{module_name}.{name}" for name, _ in module.named_parameters()}
    return module_name if isinstance(module, nn.Linear) and own == names else None


def first_head_layer_name(model: nn.Module, block_map: BlockMap) -> str | None:
    """The name of the first `nn.Linear` of the head, in the order in which the model defines them; None without one.

    Its input are the features before the head, of one layer or of several.
    """
    from torch import nn

    owners = (name.removesuffix(".weight") for name in block_map.head.parameter_names)
    modules = dict(model.named_modules())
    return next((name for name in owners if isinstance(modules.get(name), nn.Linear)), None)


def _check_complete(all_names: list[str], members: dict[str, list[str]], patterns: dict[str, str]) -> None:
    assigned = {parameter_name for names in members.values() for parameter_name in names}
    missing = [parameter_name for parameter_name in all_names if parameter_name not in assigned]
    for name, parameter_names in members.items():
        if not parameter_names:
            near = (missing or all_names)[:1]
            like = f", for example not {near[0]}" if near else ": the model has none"
            raise _invalid(f"the pattern `{patterns[name]}` of block `{name}` matches no parameter{like}")
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise _invalid(f"no block has the parameters {shown}")


def _compile(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise _invalid(f"the pattern `{pattern}` of block `{name}` is not a regular expression ({error})") from error


def _invalid(message: str) -> UserError:
    return UserError("invalid_blocks", message, hint="Every parameter must match exactly one block or the head.")
