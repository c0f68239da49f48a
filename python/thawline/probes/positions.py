"""Softmaxes at the positions of an example: their rows of logits, a bounded number of them at a time.

A language model's logits are the largest tensor of a pass, and what is made of them in float64 is several times larger.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from thawline.probes.labels import label_uncertainty
from thawline.probes.objective import Batch, Objective, PositionedObjective, cross_entropy

# Of logits that are taken to float64 at once: 8 MiB, of which there are up to ten at the same time. Four times as many
# were no faster.
NUMBERS_AT_ONCE = 2**20

# (rows [n, classes], where they are among all rows) -> one entry or row for each of them.
OfRows = Callable[[Tensor, Tensor | slice], Tensor]


def counted_positions(objective: Objective, batch: Batch) -> Tensor | None:
    """Bool [examples, positions]; None for an objective with one softmax an example."""
    return objective.counted(batch) if isinstance(objective, PositionedObjective) else None


def of_counted_rows(logits: Tensor, counted: Tensor | None, make: OfRows) -> Tensor:
    """What `make` gives for each softmax of `logits`, [examples, ...] or [examples, positions, ...].

    Where `counted` is given, only for the positions that count, some of them at a time; zero at the others.
    """
    if counted is None:
        return make(logits, slice(None))
    rows = logits.detach().flatten(0, 1)
    found: Tensor | None = None
    for places in _parts(counted.flatten().nonzero().squeeze(1), rows):
        made = make(rows[places], places)
        found = made.new_zeros(len(rows), *made.shape[1:]) if found is None else found
        found[places] = made
    assert found is not None
    return found.view(*counted.shape, *found.shape[1:])


def label_uncertainties(logits: list[Tensor], counted: Tensor | None) -> Tensor:
    """1 - sum_c p_c^2, summed over an example's softmaxes; float64 [examples]."""
    found = [of_counted_rows(out, counted, lambda rows, _: label_uncertainty(rows)) for out in logits]
    return torch.stack([each if counted is None else each.sum(dim=1) for each in found]).sum(dim=0)


def summed_cross_entropy(logits: Tensor, labels: Tensor, counted: Tensor) -> Tensor:
    """-log p(label), summed over the positions that count, in float64 [examples]; differentiable, also twice.

    Logits are [examples, positions, classes]. Where they are more than fit in one part, the backward pass computes each
    part's float64 anew.
    """
    rows, flat_labels, flat_counted = logits.flatten(0, 1), labels.flatten(), counted.flatten()
    step = _rows_at_once(rows)
    # Not by index: each part's backward pass would fill a tensor as large as all logits.
    parts = list(zip(*(torch.split(tensor, step) for tensor in (rows, flat_labels, flat_counted)), strict=True))
    if len(parts) == 1:
        losses = [_cross_entropy_where(*parts[0])]
    else:
        losses = [
            checkpoint(_cross_entropy_where, *part, use_reentrant=False, preserve_rng_state=False) for part in parts
        ]
    return torch.cat(losses).view(labels.shape).sum(dim=1)


def _cross_entropy_where(rows: Tensor, labels: Tensor, counted: Tensor) -> Tensor:
    """[rows], zero where a row does not count, whatever its logits."""
    places = counted.nonzero().squeeze(1)
    losses = cross_entropy(rows[places], labels[places])
    return losses.new_zeros(len(rows)).index_add(0, places, losses)


def _parts(places: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
    """At least one part, also of nothing."""
    return torch.split(places, _rows_at_once(rows))


def _rows_at_once(rows: Tensor) -> int:
    return max(1, NUMBERS_AT_ONCE // rows.shape[1])
