"""The worker's end of the connection to its controller, as the training thread sees it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable
from queue import Empty
from typing import Protocol

from thawline.wire.bootstrap import Bootstrap, read_bootstrap
from thawline.wire.codec import encode_body
from thawline.wire.link import ChannelClosed, Inbox, Link
from thawline.wire.protocol import ControllerBody, Recall, WorkerBody

__all__ = ["Bootstrap", "Channel", "ChannelClosed", "ScriptedChannel", "ZmqChannel", "read_bootstrap"]


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


class ZmqChannel:
    """The real channel: a CURVE client on an I/O thread of its own. Open it after loader processes were forked."""

    def __init__(self, bootstrap: Bootstrap) -> None:
        self._bootstrap = bootstrap
        self._owner = os.getpid()
        self._inbox = Inbox()
        self._link = Link(bootstrap, self._inbox)
        self.recalled = self._inbox.recalled

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        self._check_process()
        # Where the body was made, so that the I/O thread meets no surprise.
        bootstrap = self._bootstrap
        encoded = encode_body(body, run=bootstrap.run, attempt=bootstrap.attempt, session=self._link.session)
        self._link.offer(encoded, droppable=droppable)

    def receive(self, timeout: float | None = None) -> ControllerBody:
        self._check_process()
        try:
            return self._inbox.get(timeout)
        except Empty:
            raise TimeoutError(f"the controller sent nothing for {timeout:g} s") from None

    def close(self, linger: float = 2.0) -> None:
        if os.getpid() == self._owner:
            self._link.close(linger)

    def _check_process(self) -> None:
        # A forked child has the socket but not the I/O thread: its messages would vanish, or answer for the parent.
        if os.getpid() != self._owner:
            raise RuntimeError(f"this channel belongs to process {self._owner}; a forked child must not use it")


class ScriptedChannel:
    """For tests of the worker's side: gives the bodies of a list one by one and records what was sent."""

    def __init__(self, script: Iterable[ControllerBody] = ()) -> None:
        self.recalled = threading.Event()
        self.sent: list[WorkerBody] = []
        self.closed = False
        self._script = deque(script)

    def recall(self) -> None:
        """A recall arrives now, before whatever else the script holds."""
        self._script.appendleft(Recall())
        self.recalled.set()

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        if self.closed:
            raise ChannelClosed("the channel is closed")
        encode_body(body, run="scripted", attempt=1, session="scripted")
        self.sent.append(body)

    def receive(self, timeout: float | None = None) -> ControllerBody:
        if self.closed or not self._script:
            raise ChannelClosed("the channel is closed" if self.closed else "the script is over")
        body = self._script.popleft()
        if isinstance(body, Recall):
            self.recalled.clear()
        return body

    def close(self, linger: float = 2.0) -> None:
        self.closed = True
