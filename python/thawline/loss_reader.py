"""Reads the training loss without making the device wait."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from thawline.errors import NonFiniteLossError

if TYPE_CHECKING:
    import torch

PROGRESS_INTERVAL_SECONDS = 0.5


class LossReader:
    """The latest loss that has arrived on the host.

    On an accelerator each loss is copied asynchronously and read once its copy is done, so the value lags by an update
    or two and the queue of kernels never drains. On the CPU there is nothing to wait for.
    """

    def __init__(self) -> None:
        self._latest: float | None = None
        self._pending: tuple[torch.Tensor, torch.cuda.Event, int] | None = None

    def offer(self, loss: torch.Tensor, update: int, learning_rate: float) -> float | None:
        """Takes the loss of `update` and returns the newest one known.

        Raises NonFiniteLossError for the first loss that is NaN or infinite.
        """
        import torch

        if loss.device.type != "cuda":
            return self._accept(float(loss.detach()), update, learning_rate)
        if self._pending is not None and self._pending[1].query():  # type: ignore[no-untyped-call]
            arrived, _, of_update = self._pending
            self._pending = None
            self._accept(float(arrived), of_update, learning_rate)
        if self._pending is None:
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            host = torch.empty((), dtype=loss.dtype, pin_memory=True)
            host.copy_(loss.detach(), non_blocking=True)
            event.record()
            self._pending = (host, event, update)
        return self._latest

    def _accept(self, loss: float, update: int, learning_rate: float) -> float:
        if not math.isfinite(loss):
            raise NonFiniteLossError(update, loss, learning_rate)
        self._latest = loss
        return loss


class Pace:
    """Decides when the next progress message is due, and how fast training went since the last one."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._samples = 0

    def count(self, num_samples: int) -> float | None:
        """Samples per second since the last message when one is due, else None."""
        self._samples += num_samples
        now = time.perf_counter()
        elapsed = now - self._last
        if elapsed < PROGRESS_INTERVAL_SECONDS:
            return None
        rate = self._samples / elapsed
        self._last, self._samples = now, 0
        return rate

    def restart(self) -> None:
        """Forgets the time since the last message: it was not spent training."""
        self._last, self._samples = time.perf_counter(), 0
