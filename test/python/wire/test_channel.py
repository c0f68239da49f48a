"""The worker's channel against a real ROUTER with CURVE, which plays the controller."""

from __future__ import annotations

import pytest
from router_controller import Controller

from thawline.wire import link
from thawline.wire.channel import ChannelClosed, ScriptedChannel, ZmqChannel
from thawline.wire.prescan import FRAME_BYTES, ProtocolError
from thawline.wire.protocol import (
    Failed,
    Grant,
    Log,
    Ping,
    Pong,
    Progress,
    Recall,
    Stop,
)

GRANT = Grant(5, ["head"], 1.0, [], [])
PROGRESS = Progress(1, 2.5, 10.0, "train", "")


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
