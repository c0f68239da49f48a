"""Work that a recall cuts short: the question that it asks between two steps, and the exception that ends it."""

from __future__ import annotations

from typing import Protocol


class Interrupted(Exception):
    """A probe, an evaluation or the making of a test set was told to stop: no result, and the model is as it was."""


class ShouldStop(Protocol):
    """To be asked between batches; where it says yes, the work raises Interrupted.

    `doing` is what people are told of the work meanwhile, where there is more to say than its phase.
    """

    def __call__(self, doing: str = "") -> bool: ...
