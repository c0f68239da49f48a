"""The I/O thread: the one owner of the worker's socket. It answers pings, so the link lives while training computes.

Sockets are not thread-safe, so the training thread only touches the queues here; a pipe wakes the thread's poll.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections import deque
from queue import SimpleQueue
from typing import Final

import zmq
from zmq.utils.monitor import parse_monitor_message

from thawline.wire.bootstrap import Bootstrap
from thawline.wire.codec import EncodedBody, Message, decode, enclose, encode_body
from thawline.wire.prescan import FRAME_BYTES, ProtocolError
from thawline.wire.protocol import ControllerBody, Grant, Ping, Pong, Recall, Reject, Stop, Welcome

OUTBOX_LENGTH: Final = 256
"""Droppable messages are dropped above this many waiting ones."""

OUTBOX_LENGTH_MAX: Final = 4096
"""Above this the controller has stopped reading for good: essential messages come a few per boundary."""

_SOCKET_QUEUE: Final = 64  # Short, so that what is droppable waits where it can still be dropped.
_CURVE_OVERHEAD: Final = 64  # libzmq compares MAXMSGSIZE with the encrypted frame, which is 33 bytes longer.
# Never, in practice: the link ends with its first disconnection. -1, libzmq's own "never", can lose the last message.
_RECONNECT_MS: Final = 24 * 60 * 60 * 1000
_EVENTS: Final = (
    zmq.Event.HANDSHAKE_SUCCEEDED
    | zmq.Event.HANDSHAKE_FAILED_AUTH
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
    | zmq.Event.DISCONNECTED
    | zmq.Event.CLOSED
)


class ChannelClosed(Exception):
    """The connection to the controller is over; the message is one sentence that says why."""


class Inbox:
    """Bodies on their way from the I/O thread to the training thread, and the flag that calls it to a boundary."""

    def __init__(self) -> None:
        self.recalled = threading.Event()
        self._bodies: SimpleQueue[ControllerBody | Exception] = SimpleQueue()
        self._lock = threading.Lock()
        self._urgent = 0
        self._ended = False

    def put(self, body: ControllerBody) -> None:
        if isinstance(body, Recall | Stop):
            with self._lock:
                self._urgent += 1
                self.recalled.set()
        self._bodies.put(body)

    def end(self, error: Exception) -> None:
        with self._lock:
            self._ended = True
            self.recalled.set()
        self._bodies.put(error)

    def get(self, timeout: float | None) -> ControllerBody:
        """Raises queue.Empty after `timeout` seconds, and the error of `end` once everything before it was taken."""
        body = self._bodies.get(timeout=timeout)
        if isinstance(body, Exception):
            self._bodies.put(body)  # The next call finds it again.
            raise body
        if isinstance(body, Recall | Stop):
            with self._lock:
                self._urgent -= 1
                if self._urgent == 0 and not self._ended:
                    self.recalled.clear()
        return body


class Link:
    """One connection, one thread; it never reconnects, because an attempt that lost its controller is over."""

    def __init__(self, bootstrap: Bootstrap, inbox: Inbox) -> None:
        self.session: Final = uuid.uuid4().hex
        self._bootstrap = bootstrap
        self._inbox = inbox
        self._lock = threading.Lock()
        self._outbox: deque[tuple[EncodedBody, int | None]] = deque()
        self._ended: Exception | None = None
        self._close_at: float | None = None
        self._seq_sent = 0
        self._peer_session: str | None = None
        self._seq_received = 0
        self._pong = encode_body(Pong(), run=bootstrap.run, attempt=bootstrap.attempt, session=self.session)
        self._wake_reader, self._wake_writer = os.pipe()
        for fd in (self._wake_reader, self._wake_writer):
            os.set_blocking(fd, False)
        self._thread = threading.Thread(target=self._run, name="thawline-link", daemon=True)
        self._thread.start()

    def offer(self, body: EncodedBody, *, droppable: bool) -> None:
        """Queues `body` for the thread; raises why the link ended, if it did."""
        with self._lock:
            if self._ended is not None:
                raise self._ended
            if droppable and len(self._outbox) >= OUTBOX_LENGTH:
                return
            if len(self._outbox) >= OUTBOX_LENGTH_MAX:
                raise ChannelClosed(f"the controller has left {OUTBOX_LENGTH_MAX} messages unread")
            self._outbox.append((body, None))
        self._wake()

    def close(self, linger: float) -> None:
        """Ends the thread after it has handed over the outbox, or after `linger` seconds."""
        if self._close_at is None:
            self._close_at = time.monotonic() + linger
            self._wake()
        self._thread.join(linger + 1.0)

    def _wake(self) -> None:
        with self._lock:
            if self._ended is None:
                with contextlib.suppress(BlockingIOError):  # A full pipe: a wake-up is pending already.
                    os.write(self._wake_writer, b"\0")

    def _run(self) -> None:
        context = zmq.Context()
        try:
            self._serve(context)
            self._end(ChannelClosed("the channel is closed"))
        except (ChannelClosed, ProtocolError) as error:
            self._end(error)
        except Exception as error:  # Whatever it was, the training thread must not wait for ever.
            self._end(ChannelClosed(f"the I/O thread failed: {error!r}"))
        finally:
            # Waits until what the socket was closed with is handed over, or its time is up.
            context.destroy(linger=0)

    def _serve(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        dealer = self._connect(context)
        try:
            monitor = dealer.get_monitor_socket(_EVENTS)
            dealer.connect(self._bootstrap.endpoint)
            self._exchange(dealer, monitor)
        finally:
            # Here, while it is held: a socket that is let go is closed at once, and drops what it has queued.
            dealer.close(linger=self._milliseconds_left() or 0)

    def _connect(self, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        bootstrap = self._bootstrap
        dealer = context.socket(zmq.DEALER)
        dealer.curve_serverkey = bootstrap.server_key.encode()
        dealer.curve_publickey = bootstrap.public_key.encode()
        dealer.curve_secretkey = bootstrap.secret_key.encode()
        # The router takes a hello only from this id: it cannot see which key a connection was accepted with.
        dealer.routing_id = bootstrap.public_key.encode()
        dealer.maxmsgsize = FRAME_BYTES + _CURVE_OVERHEAD
        dealer.sndhwm = _SOCKET_QUEUE
        dealer.reconnect_ivl = _RECONNECT_MS
        dealer.linger = 0
        return dealer

    def _exchange(self, dealer: zmq.Socket[bytes], monitor: zmq.Socket[bytes]) -> None:
        """Moves messages both ways until the channel is closed and its outbox handed over; raises why it broke."""
        poller = zmq.Poller()
        poller.register(monitor, zmq.POLLIN)
        poller.register(self._wake_reader, zmq.POLLIN)
        while True:
            self._receive(dealer)
            drained = self._send(dealer)
            if self._close_at is not None and (drained or time.monotonic() >= self._close_at):
                return
            poller.register(dealer, zmq.POLLIN if drained else zmq.POLLIN | zmq.POLLOUT)
            ready = dict(poller.poll(self._milliseconds_left()))
            if self._wake_reader in ready:
                os.read(self._wake_reader, 4096)
            if monitor in ready:
                reason = _reason(parse_monitor_message(monitor.recv_multipart()))
                if reason is not None:
                    self._receive(dealer)  # What arrived before the end counts: a reject, a stop.
                    raise ChannelClosed(reason)

    def _send(self, dealer: zmq.Socket[bytes]) -> bool:
        """Hands over the outbox as far as the socket takes it; True when it is empty."""
        while True:
            with self._lock:
                if not self._outbox:
                    return True
                body, reply_to = self._outbox[0]
            frames = self._frames(body, self._seq_sent + 1, reply_to)
            try:
                dealer.send_multipart(frames, zmq.NOBLOCK)
            except zmq.Again:
                return False
            self._seq_sent += 1
            with self._lock:
                self._outbox.popleft()

    def _receive(self, dealer: zmq.Socket[bytes]) -> None:
        while True:
            try:
                frames = dealer.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            message = decode(frames, sender="controller")
            self._check_order(message)
            match message.body:
                case Ping():
                    with self._lock:
                        self._outbox.append((self._pong, message.seq))
                case Welcome() | Reject() | Grant() | Recall() | Stop():
                    self._inbox.put(message.body)
                case _:
                    pass

    def _check_order(self, message: Message) -> None:
        bootstrap = self._bootstrap
        if (message.run, message.attempt) != (bootstrap.run, bootstrap.attempt):
            raise ProtocolError("order", f"$.run: a message for attempt {message.attempt} of run {message.run}")
        if self._peer_session not in (None, message.session):
            raise ProtocolError("order", "$.session: the controller's session changed")
        if message.seq != self._seq_received + 1:
            raise ProtocolError("order", f"$.seq: {message.seq} after {self._seq_received}")
        self._peer_session, self._seq_received = message.session, message.seq

    def _milliseconds_left(self) -> int | None:
        """Until the linger of `close` is over; None while nobody has closed the channel."""
        return None if self._close_at is None else max(0, round((self._close_at - time.monotonic()) * 1000))

    def _frames(self, body: EncodedBody, seq: int, reply_to: int | None) -> tuple[bytes, bytes]:
        bootstrap = self._bootstrap
        return enclose(
            body, run=bootstrap.run, attempt=bootstrap.attempt, session=self.session, seq=seq, reply_to=reply_to
        )

    def _end(self, error: Exception) -> None:
        with self._lock:
            self._ended = error
            self._outbox.clear()
            os.close(self._wake_reader)
            os.close(self._wake_writer)
        self._inbox.end(error)


def _reason(event: object) -> str | None:
    """Why a monitor event ends the link, or None where it does not."""
    assert isinstance(event, dict)
    match event["event"]:
        case zmq.Event.HANDSHAKE_SUCCEEDED:
            return None
        case zmq.Event.HANDSHAKE_FAILED_AUTH:
            return "the controller refused this attempt's key"
        case zmq.Event.HANDSHAKE_FAILED_PROTOCOL | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL:
            return "the handshake failed: the peer is not the controller that this attempt belongs to"
        case _:
            return "the connection to the controller is lost"
