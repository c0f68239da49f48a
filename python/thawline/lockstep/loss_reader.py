"""Reads the training loss without making the device wait."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from thawline.errors import NonFiniteLossError

if TYPE_CHECKING:
    import torch


class _Copy(NamedTuple):
    """A loss on its way to the host, and what a reader needs to act on it should it not be finite."""

    value: torch.Tensor
    arrival: torch.cuda.Event
    update: int
    learning_rate: float


class LossReader:
    """The latest loss that has arrived on the host.

    On an accelerator one loss at a time is copied asynchronously and read once its copy is done, so the value lags by
    an update or two and the queue of kernels never drains. On the CPU there is nothing to wait for.
    """

    def __init__(self) -> None:
        self._latest: float | None = None
        self._pending: _Copy | None = None

    def offer(self, loss: torch.Tensor, update: int, learning_rate: float) -> float | None:
        """Takes the loss of `update`, a scalar, and returns the newest one known.

        Raises NonFiniteLossError for the first loss it reads that is NaN or infinite.
        """
        import torch

        if loss.device.type != "cuda":
            return self._accept(float(loss.detach()), update, learning_rate)
        if self._pending is not None and self._pending.arrival.query():  # type: ignore[no-untyped-call]
            self.settle()
        if self._pending is None:
            arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
            value = torch.empty((), dtype=loss.dtype, pin_memory=True)
            value.copy_(loss.detach(), non_blocking=True)
            arrival.record()
            self._pending = _Copy(value, arrival, update, learning_rate)
        return self._latest

    def settle(self) -> None:
        """Waits for the loss that is on its way, so that nothing is built on weights whose loss was not finite.

        Raises NonFiniteLossError.
        """
        if self._pending is None:
            return
        pending, self._pending = self._pending, None
        pending.arrival.synchronize()
        self._accept(float(pending.value), pending.update, pending.learning_rate)

    def _accept(self, loss: float, update: int, learning_rate: float) -> float:
        if not math.isfinite(loss):
            raise NonFiniteLossError(update, loss, learning_rate)
        self._latest = loss
        return loss
