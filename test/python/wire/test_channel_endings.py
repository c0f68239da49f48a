"""How the worker's channel ends, by whichever side; nothing that was queued is lost, and nothing stays behind."""

from __future__ import annotations

import os
import threading
import time

import msgspec
import pytest
import zmq
from router_controller import Controller
from zmq.auth.thread import ThreadAuthenticator

from thawline.wire.channel import ChannelClosed, ZmqChannel
from thawline.wire.protocol import (
    Grant,
    Log,
    Progress,
    Reject,
)

GRANT = Grant(5, ["head"], 1.0, [], [])
PROGRESS = Progress(1, 2.5, 10.0, "train", "")


def test_what_is_queued_is_handed_over_before_closing(controller: Controller, channel: ZmqChannel) -> None:
    for number in range(200):
        channel.send(Log("info", str(number)))
    channel.close()
    channel.close()
    assert [controller.receive().seq for _ in range(200)] == list(range(2, 202))
    with pytest.raises(ChannelClosed, match="the channel is closed"):
        channel.send(GRANT)  # type: ignore[arg-type]
    with pytest.raises(ChannelClosed):
        channel.receive()


def test_closing_waits_for_a_controller_that_reads_slowly(context: zmq.Context[zmq.Socket[bytes]]) -> None:
    # The queue of a real controller: with a full one libzmq drops what lies in a Unix socket whose other end closes.
    controller = Controller(context, queue=100_000)
    channel = ZmqChannel(controller.bootstrap)
    # More than what lies between the two holds: much is still on this side when the channel is closed.
    for _ in range(1000):
        channel.send(Log("info", "x" * 8000))
    closing = threading.Thread(target=channel.close, args=[60.0])
    closing.start()
    for number in range(1, 1001):
        time.sleep(0.0005)
        assert controller.receive().seq == number
    closing.join()


def test_a_controller_that_goes_away_ends_the_channel(controller: Controller, channel: ZmqChannel) -> None:
    controller.send(Reject("busy", "come back later", ""))
    controller.router.close(linger=1000)
    assert channel.receive(5) == Reject("busy", "come back later", "")
    with pytest.raises(ChannelClosed, match="the connection to the controller is lost"):
        channel.receive(5)
    assert channel.recalled.is_set()


def test_nobody_listening_ends_the_channel(controller: Controller) -> None:
    controller.router.close(linger=0)
    channel = ZmqChannel(controller.bootstrap)
    with pytest.raises(ChannelClosed):
        channel.receive(5)
    channel.close()


def test_another_controllers_key_ends_the_channel(controller: Controller) -> None:
    other = msgspec.structs.replace(controller.bootstrap, server_key=zmq.curve_keypair()[0].decode())
    channel = ZmqChannel(other)
    with pytest.raises(ChannelClosed):
        channel.receive(5)
    channel.close()


def test_a_key_that_is_not_allowed_ends_the_channel(context: zmq.Context[zmq.Socket[bytes]]) -> None:
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    try:

        class Nobody:
            def callback(self, domain: str, key: bytes) -> bool:
                return False

        authenticator.configure_curve_callback("*", Nobody())
        controller = Controller(context)
        channel = ZmqChannel(controller.bootstrap)
        with pytest.raises(ChannelClosed, match="the controller refused this attempt's key"):
            channel.receive(5)
        channel.close()
    finally:
        authenticator.stop()


def test_closing_does_not_wait_for_a_controller_that_does_not_read(controller: Controller) -> None:
    channel = ZmqChannel(controller.bootstrap)
    for _ in range(300):
        channel.send(Log("info", "x" * 8000))
    before = time.monotonic()
    channel.close(linger=0.2)
    assert time.monotonic() - before < 3


def test_a_forked_child_must_not_use_it(channel: ZmqChannel) -> None:
    child = os.fork()
    if child == 0:
        refused = 0
        for use in (lambda: channel.send(PROGRESS), lambda: channel.receive(0)):
            try:
                use()
            except RuntimeError:
                refused += 1
        channel.close()
        os._exit(refused)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def test_no_thread_and_no_file_stays_behind(controller: Controller) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    files, threads = held()
    for _ in range(3):
        channel = ZmqChannel(controller.bootstrap)
        channel.close()
    # The controller of this test lives in the same process, and lets go of a closed connection in its own time.
    deadline = time.monotonic() + 5
    while held() > (files, threads) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held()[0] <= files
    assert held()[1] <= threads
