"""Which sequences go together: batches of similar length waste little on padding.

Training batches are a function of (seed, epoch) alone, so a resumed run needs no iterator state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from thawline.host.determinism import derive_generator, permutation

BATCHES_PER_BUCKET = 50
"""Sequences are sorted by length among so many batches: enough to save the padding, few enough to stay well mixed."""


def evaluation_batches(lengths: Tensor, batch_size: int) -> list[Tensor]:
    """All sequences, longest first (what does not fit into memory shows at once), equal lengths in their order.

    lengths int64 [n] -> indices int64 [batch_size] each, the last one shorter.
    """
    return list(torch.split(torch.argsort(lengths, descending=True, stable=True), batch_size))


def epoch_batches(lengths: Tensor, *, batch_size: int, seed: int, epoch: int) -> list[Tensor]:
    """The batches of one epoch (0, 1, ...) in their order: ceil(n / batch_size), every sequence in exactly one.

    A permutation is cut into buckets of 50 batches, each sorted by length and cut into batches, and all batches are
    shuffled. lengths int64 [n] -> indices int64 [batch_size] each; one batch, anywhere, is shorter when n is no
    multiple of the batch size.
    """
    assert len(lengths) >= 1
    order = permutation(seed, "text_order", len(lengths), epoch)
    batches: list[Tensor] = []
    for bucket in torch.split(order, BATCHES_PER_BUCKET * batch_size):
        by_length = bucket[torch.argsort(lengths[bucket], descending=True, stable=True)]
        batches.extend(torch.split(by_length, batch_size))
    shuffled = torch.randperm(len(batches), generator=derive_generator(seed, "text_batch_order", epoch))
    return [batches[i] for i in shuffled.tolist()]


class TrainingBatches:
    """`batch(update)` as a function of (lengths, batch size, seed, update); keeps the epoch that was asked for last."""

    def __init__(self, lengths: Tensor, *, batch_size: int, seed: int) -> None:
        assert len(lengths) >= 1
        self.updates_per_epoch = -(-len(lengths) // batch_size)
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch: tuple[int, list[Tensor]] | None = None

    def batch(self, update: int) -> Tensor:
        """The sequences of one update (1, 2, ...): int64 [batch_size], fewer in one update of an epoch."""
        assert update >= 1
        epoch, position = divmod(update - 1, self.updates_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            batches = epoch_batches(self._lengths, batch_size=self._batch_size, seed=self._seed, epoch=epoch)
            self._epoch = (epoch, batches)
        # A copy: a caller that writes into its batch must not change the kept epoch.
        return self._epoch[1][position].clone()
