"""The worker's channel against a real ROUTER with CURVE, which plays the controller."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest
import zmq
from zmq.auth.thread import ThreadAuthenticator

from thawline import link
from thawline.channel import Bootstrap, ChannelClosed, ScriptedChannel, ZmqChannel
from thawline.codec import Message, decode, encode
from thawline.prescan import FRAME_BYTES, ProtocolError
from thawline.protocol import (
    ControllerBody,
    Failed,
    Grant,
    Log,
    Ping,
    Pong,
    Progress,
    Recall,
    Reject,
    Stop,
)

GRANT = Grant(5, ["head"], 1.0, [], [])
PROGRESS = Progress(1, 2.5, 10.0, "train", "")
WAIT_MS = 5000


class Controller:
    """A ROUTER that remembers its worker's routing id and numbers what it sends."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.router = context.socket(zmq.ROUTER)
        public, secret = zmq.curve_keypair()
        self.router.curve_secretkey = secret
        self.router.curve_server = True
        self.router.linger = 0
        self.router.rcvtimeo = WAIT_MS
        port = self.router.bind_to_random_port("tcp://127.0.0.1")
        worker_public, worker_secret = zmq.curve_keypair()
        self.bootstrap = Bootstrap(
            f"tcp://127.0.0.1:{port}",
            public.decode(),
            worker_public.decode(),
            worker_secret.decode(),
            "run-1",
            1,
            os.getpid(),
        )
        self.worker = b""
        self.seq = 0

    def receive(self) -> Message:
        self.worker, *frames = self.router.recv_multipart()
        return decode(frames, sender="worker")

    def send(self, body: ControllerBody, **changes: object) -> None:
        self.seq += 1
        envelope = {"run": "run-1", "attempt": 1, "session": "c", "seq": self.seq, **changes}
        self.router.send_multipart([self.worker, *encode(body, **envelope)])  # type: ignore[arg-type]


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def controller(context: zmq.Context[zmq.Socket[bytes]]) -> Controller:
    return Controller(context)


@pytest.fixture
def channel(controller: Controller) -> Iterator[ZmqChannel]:
    """A channel that has said something, so that the controller knows where to answer."""
    opened = ZmqChannel(controller.bootstrap)
    opened.send(Log("info", "hello"))
    assert controller.receive().seq == 1
    yield opened
    opened.close(linger=0)


def test_both_directions_keep_their_order(controller: Controller, channel: ZmqChannel) -> None:
    for number in range(50):
        channel.send(Log("info", str(number)))
        controller.send(Grant(number + 1, [], 1.0, [], []))
    received = [controller.receive() for _ in range(50)]
    assert [(message.seq, message.body) for message in received] == [
        (number + 2, Log("info", str(number))) for number in range(50)
    ]
    assert {(message.run, message.attempt, message.session) for message in received} == {
        ("run-1", 1, received[0].session)
    }
    assert [channel.receive(5) for _ in range(50)] == [Grant(number + 1, [], 1.0, [], []) for number in range(50)]


def test_the_routing_id_is_the_attempts_public_key(controller: Controller, channel: ZmqChannel) -> None:
    assert controller.worker.decode() == controller.bootstrap.public_key


def test_pings_are_answered_while_the_training_thread_computes(controller: Controller, channel: ZmqChannel) -> None:
    controller.send(Ping())
    answer = controller.receive()
    assert (answer.body, answer.seq, answer.reply_to) == (Pong(), 2, 1)
    with pytest.raises(TimeoutError):
        channel.receive(0.05)


def test_a_recall_is_visible_until_it_is_received(controller: Controller, channel: ZmqChannel) -> None:
    controller.send(GRANT)
    assert channel.receive(5) == GRANT
    assert not channel.recalled.is_set()
    controller.send(Recall())
    assert channel.recalled.wait(5)
    controller.send(Stop("operator", False))
    assert channel.receive(5) == Recall()
    assert channel.receive(5) == Stop("operator", False)
    assert not channel.recalled.is_set()


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


def test_droppable_messages_are_dropped_without_a_gap(controller: Controller, channel: ZmqChannel) -> None:
    text = "x" * 8000
    for _ in range(3000):
        channel.send(Log("info", text), droppable=True)
    channel.send(Log("info", "last"))
    seqs = []
    while True:
        message = controller.receive()
        seqs.append(message.seq)
        if message.body == Log("info", "last"):
            break
    assert seqs == list(range(2, len(seqs) + 2))
    assert len(seqs) < 3000


def test_essential_messages_are_not_dropped(
    controller: Controller, channel: ZmqChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "OUTBOX_LENGTH", 0)
    channel.send(Log("info", "dropped"), droppable=True)
    channel.send(Log("info", "kept"))
    assert controller.receive().body == Log("info", "kept")


def test_a_message_of_the_largest_size_passes(controller: Controller, channel: ZmqChannel) -> None:
    text = "x" * 16_000
    body = Failed(1, "code", "a", text, text, text)
    channel.send(body)
    assert controller.receive().body == body


def test_a_wrong_body_is_refused_where_it_was_made(controller: Controller, channel: ZmqChannel) -> None:
    with pytest.raises(ProtocolError, match=r"\$\.body\.samples_per_second"):
        channel.send(Progress(1, 2.5, -1.0, "train", ""))
    channel.send(PROGRESS)
    assert controller.receive().seq == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seq": 7}, r"\$\.seq: 7 after 1"),
        ({"run": "run-2"}, r"\$\.run: "),
        ({"attempt": 2}, r"\$\.run: a message for attempt 2"),
        ({"session": "d"}, r"\$\.session: "),
    ],
)
def test_a_controller_that_breaks_the_order_ends_the_channel(
    controller: Controller, channel: ZmqChannel, changes: dict[str, object], text: str
) -> None:
    controller.send(GRANT)
    controller.send(GRANT, **changes)
    assert channel.receive(5) == GRANT
    for _ in range(2):
        with pytest.raises(ProtocolError, match=text):
            channel.receive(5)
    with pytest.raises(ProtocolError, match=text):
        channel.send(PROGRESS)
    assert channel.recalled.is_set()


@pytest.mark.parametrize(
    "frames",
    [[b"THAW1", bytes.fromhex("ddffffffff")], [b"THAW1"], [b"THAW2", b"\x80"], [b"THAW1", bytes(FRAME_BYTES)]],
)
def test_frames_that_are_no_message_end_the_channel(
    controller: Controller, channel: ZmqChannel, frames: list[bytes]
) -> None:
    controller.router.send_multipart([controller.worker, *frames])
    with pytest.raises(ProtocolError):
        channel.receive(5)


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


class TestScriptedChannel:
    def test_gives_its_script_and_records_what_was_sent(self) -> None:
        channel = ScriptedChannel([GRANT, Stop("finished", True)])
        channel.send(PROGRESS)
        assert channel.receive() == GRANT
        channel.recall()
        assert channel.recalled.is_set()
        assert channel.receive() == Recall()
        assert not channel.recalled.is_set()
        assert channel.receive() == Stop("finished", True)
        with pytest.raises(ChannelClosed, match="the script is over"):
            channel.receive()
        assert channel.sent == [PROGRESS]

    def test_holds_bodies_to_the_protocol(self) -> None:
        with pytest.raises(ProtocolError):
            ScriptedChannel().send(Progress(-1, None, 0.0, "train", ""))
