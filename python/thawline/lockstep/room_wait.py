"""A full disk pauses a training: it waits until there is room, and then goes on as if nothing had been."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from thawline.errors import NoRoomError
from thawline.interruption import Interrupted
from thawline.wire.codec import cut_text
from thawline.wire.protocol import Log, Progress

if TYPE_CHECKING:
    from thawline.wire.channel import Channel

RETRY_SECONDS: Final = 3.0
"""Often enough that nobody waits for it; each time a record, on a disk that is nearly full, tells that work goes on."""

Written = TypeVar("Written")


class RoomWait:
    """Writes again and again until there is room; says so over the channel, and stays open to a recall meanwhile."""

    def __init__(self, channel: Channel, retry_seconds: float = RETRY_SECONDS) -> None:
        self._channel = channel
        self._retry_seconds = retry_seconds

    def until_written(self, step: int, write: Callable[[], Written]) -> Written:
        """What `write` gives, once it finds room, in the state after `step` updates.

        Raises Interrupted where a recall comes first, and what else `write` raises.
        """
        waited = False
        while True:
            try:
                written = write()
            except NoRoomError as error:
                if not waited:
                    self._channel.send(Log("warning", cut_text(f"{error}; the run waits until there is room")))
                waited = True
                self._wait(step)
                continue
            if waited:
                self._channel.send(Log("info", "there is room on the disk again: the run goes on"))
            return written

    def _wait(self, step: int) -> None:
        self._channel.send(Progress(step, None, 0.0, "checkpoint", "waiting for room on the disk"), droppable=True)
        deadline = time.monotonic() + self._retry_seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._channel.recalled.wait(min(left, 0.1)):
                raise Interrupted
