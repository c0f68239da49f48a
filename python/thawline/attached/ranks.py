"""Several processes that train one model: one of them alone may attach, and hands on to the others what it is told."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from thawline.errors import UserError


def refuse_other_ranks(environ: Mapping[str, str], *, leads_ranks: bool) -> None:
    """Raises UserError `several_ranks` where this process is one of several that train, and does not say that it leads.

    Their number is that of the launcher (torchrun and the like set WORLD_SIZE), or of the process group.
    """
    ranks = max(_number(environ.get("WORLD_SIZE")), _group_size())
    if ranks <= 1:
        return
    rank = _number(environ.get("RANK"))
    if leads_ranks and rank == 0:
        return
    raise UserError(
        "several_ranks",
        f"attach: this is rank {rank} of {ranks} processes that train together, and a run steers one process",
        "attach in rank 0 alone, with `leads_ranks=True`, and broadcast `requires_grad` to the other ranks after each "
        "`before_update`: docs/attach.md, several processes",
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _group_size() -> int:
    distributed = torch.distributed
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1
