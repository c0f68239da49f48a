"""A count of passes that a module may make of itself: it is no state of the model, as far as the probes can see."""

from __future__ import annotations

from torch import nn


class PassCount:
    """Called once a pass. The probes put plain attributes of a module back, and leave functions alone."""

    def __init__(self) -> None:
        self.forwards = 0
        self.backwards = 0

    def __call__(self) -> None:
        self.forwards += 1


class Counting(nn.Module):
    """A module that counts its forward passes, by `self.count()`."""

    def __init__(self) -> None:
        super().__init__()
        self.count = PassCount()

    @property
    def forwards(self) -> int:
        return self.count.forwards

    @forwards.setter
    def forwards(self, number: int) -> None:
        self.count.forwards = number

    @property
    def backwards(self) -> int:
        return self.count.backwards

    @backwards.setter
    def backwards(self, number: int) -> None:
        self.count.backwards = number
