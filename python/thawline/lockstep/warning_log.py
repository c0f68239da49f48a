"""Warnings that Python raises while signals are measured, told to the controller: who watches a run reads no stderr."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from thawline.wire.codec import cut_text
from thawline.wire.protocol import Log

if TYPE_CHECKING:
    from thawline.wire.channel import Channel


class WarningLog:
    """Sends each text to the controller once in an attempt; on stderr every warning stays what it was."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._told: set[str] = set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catches the warnings raised in the `with` block, and sends them on leaving it, also after an error."""
        caught: list[warnings.WarningMessage] = []
        try:
            with warnings.catch_warnings(record=True) as caught:
                yield
        finally:
            for warning in caught:
                self._tell(warning)

    def warn(self, text: str) -> None:
        """Raises a warning of our own, and tells it."""
        with self.listening():
            warnings.warn(text, stacklevel=3)

    def _tell(self, warning: warnings.WarningMessage) -> None:
        text = str(warning.message)
        if text not in self._told:
            self._told.add(text)
            warnings.showwarning(warning.message, warning.category, warning.filename, warning.lineno)
            self._channel.send(Log("warning", cut_text(text)))
