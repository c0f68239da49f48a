"""Reads the training loss without making the device wait."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from thawline.errors import NonFiniteLossError

if TYPE_CHECKING:
    import torch

PROGRESS_INTERVAL_SECONDS = 0.5


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


class Pace:
    """Decides when the next progress message is due, and how fast training went since the last one."""

    def __init__(self) -> None:
        self._said = time.perf_counter()
        self._samples = 0
        self._trained_seconds = 0.0

    def is_due(self) -> bool:
        """Whether a progress message should go out now; True at most every PROGRESS_INTERVAL_SECONDS."""
        now = time.perf_counter()
        if now - self._said < PROGRESS_INTERVAL_SECONDS:
            return False
        self._said = now
        return True

    def count(self, num_samples: int) -> None:
        """Training examples that were just used."""
        self._samples += num_samples

    def samples_per_second(self, trained_seconds: float) -> float:
        """Since the call before; `trained_seconds` is the time spent in training so far, waiting not included."""
        elapsed = trained_seconds - self._trained_seconds
        samples, self._samples, self._trained_seconds = self._samples, 0, trained_seconds
        return samples / elapsed if elapsed > 0 else 0.0
