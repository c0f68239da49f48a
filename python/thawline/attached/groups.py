"""Groups of an optimizer of which each holds parameters of one block only: `thawline.groups_by_block`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from thawline.attached.arguments import Training, block_map_of
from thawline.errors import UserError
from thawline.steering.group_blocks import find_mixed_group, split_by_block

__all__ = ["groups_by_block"]


def groups_by_block(
    params: Iterable[nn.Parameter] | Iterable[Mapping[str, Any]],
    model: nn.Module,
    *,
    blocks: Sequence[tuple[str, str]],
    head: str | None = None,
) -> list[dict[str, Any]]:
    """What an optimizer is to be made of where blocks will have learning rates of their own.

    `params` is what it would have been given otherwise: parameters, or groups with options, which are kept. `blocks`
    and `head` are those of `thawline.attach`. An optimizer makes the same updates of these groups as of `params`, bit
    for bit, as long as their rates are equal. Raises UserError: what `attach` raises for `blocks` and `head`.
    """
    given: list[Any] = list(params)
    groups = given if given and isinstance(given[0], Mapping) else [{"params": given}]
    whole = [{**group, "params": _listed(group["params"])} for group in groups]
    return split_by_block(whole, model, block_map_of(model, blocks, head))


def require_groups_by_block(training: Training) -> None:
    """Raises UserError that names the first group in which blocks are mixed."""
    mixed = find_mixed_group(training.optimizer.param_groups, training.model, training.block_map)
    if mixed is None:
        return
    place, names = mixed
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    raise UserError(
        "invalid_argument",
        f"attach: group {place} of `optimizer` holds parameters of {shown}, but with `intervention.release_warmup` "
        "the learning rate of each block rises by itself",
        "make the optimizer of groups by block, for example "
        "`AdamW(thawline.groups_by_block(model.parameters(), model, blocks=blocks, head=head), lr=...)`",
    )


def _listed(params: nn.Parameter | Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """A group may name a parameter by itself, as for any optimizer."""
    return [params] if isinstance(params, nn.Parameter) else list(params)
