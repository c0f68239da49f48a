"""The worker's end of the connection to its controller, as the training thread sees it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import Final, NoReturn, Protocol

from thawline.bootstrap import Bootstrap, read_bootstrap
from thawline.link import ChannelClosed, Inbox, Link
from thawline.protocol import ControllerBody, Recall, WorkerBody

__all__ = ["Bootstrap", "Channel", "ChannelClosed", "NullChannel", "ScriptedChannel", "ZmqChannel", "read_bootstrap"]


class Channel(Protocol):
    """Sends without blocking and receives in order."""

    recalled: threading.Event
    """Set while a recall or a stop lies unread, and for good once the connection is lost: end the grant and receive."""

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        """Queues `body` and returns at once; a droppable body is dropped when the queue is full.

        Raises ChannelClosed once the connection is lost or closed, ProtocolError where the body breaks its schema.
        """

    def receive(self, timeout: float | None = None) -> ControllerBody:
        """The controller's next body; waits `timeout` seconds, without a limit for None.

        Raises TimeoutError, ChannelClosed (after everything that arrived was received) or ProtocolError.
        """

    def close(self, linger: float = 2.0) -> None:
        """Hands over what is queued, for at most `linger` seconds, and ends the connection. May be called again."""
