"""How often people hear of a training, and how fast it goes."""

from __future__ import annotations

import time

PROGRESS_INTERVAL_SECONDS = 0.5


class Pace:
    """When the next progress message is due, and how many examples a second were trained on since the last one."""

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
        """Adds the number of training examples of an update that was just made."""
        self._samples += num_samples

    def samples_per_second(self, trained_seconds: float) -> float:
        """Training examples per second of training since the call before; 0 where no time was spent.

        `trained_seconds` is the time spent in training since the attempt began; probes and waiting do not count.
        """
        elapsed = trained_seconds - self._trained_seconds
        samples, self._samples, self._trained_seconds = self._samples, 0, trained_seconds
        return samples / elapsed if elapsed > 0 else 0.0
