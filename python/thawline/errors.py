"""Errors whose cause is named, so that the controller can tell the user's mistakes from ours and from the machine's."""

from __future__ import annotations

import re


def visible(text: str) -> str:
    """Text from a file as it is, but for what a reader would not see: `\\ufeff`, `\\xa0`, `\\x1b`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def visible_lines(text: str) -> str:
    """Likewise, but for its newlines and tabs: for text of several lines, such as a traceback."""
    return re.sub(r"[^\n\t]+", lambda part: visible(part.group()), text)


class UserError(Exception):
    """Something the user must change: bad configuration, missing or corrupt data, a broken checkpoint.

    `code` is a stable snake_case identifier, `str(error)` one sentence that names the place, `hint` one sentence
    that names the fix. Never shown with a traceback by us; where a user's own script lets it through, its traceback
    ends with the hint.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.add_note(f"hint: {hint}")
        self.code = code
        self.message = message
        self.hint = hint


class EnvironmentFault(Exception):
    """The machine failed us (disk full, device lost): the run may be restarted from its last checkpoint."""


class NoRoomError(EnvironmentFault):
    """The disk is full, or a quota used up: what was to be written is written once there is room."""


class UserCodeError(Exception):
    """Code that the configuration names raised; its author needs `traceback`, which has no frame of ours."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class NonFiniteLossError(Exception):
    """Training diverged; carries the update and the learning rate that a reader needs to act on it."""

    def __init__(self, update: int, loss: float, learning_rate: float) -> None:
        super().__init__(f"the loss became {loss} at update {update} (learning rate {learning_rate:g})")
        self.update = update
        self.loss = loss
        self.learning_rate = learning_rate
