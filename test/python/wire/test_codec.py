"""The codec against bytes that no correct peer sends, and the numbers and texts that JSON cannot carry."""

from __future__ import annotations

import contextlib
import json
import math
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thawline.wire.codec import TEXT_BYTES, cut_text, decode, encode
from thawline.wire.kinds import BODIES
from thawline.wire.prescan import FRAME_BYTES, ProtocolError
from thawline.wire.protocol import PROTOCOL_TAG, PROTOCOL_VERSION, Boundary, Log, Metric, SpentSeconds, WorkerBody
from thawline.wire.values import NonFinite, to_metric_value

GOLDEN = [
    bytes.fromhex(case["map"])
    for path in sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))
    for case in json.loads(path.read_text())["valid"]
]


def under(value: str) -> bytes:
    """A map with one key, `a`, and `value` in hex as its value."""
    return bytes.fromhex(f"81a161{value}")


HOSTILE = {
    "an array of 30 million in five bytes": under("dd01c9c380"),
    "arrays of 2^32 in each other, 20 deep": under("ddffffffff" * 20),
    "arrays in each other to the size of a frame": under("91" * (FRAME_BYTES - 3)),
    "maps in each other to the size of a frame": bytes.fromhex("81a161" * (FRAME_BYTES // 3)),
    "a map of 2^32 entries": bytes.fromhex("dfffffffff"),
    "a string of 4 GiB": under("dbffffffff"),
    "binary of 4 GiB": under("c6ffffffff"),
    "an extension of 4 GiB": under("c9ffffffff01"),
    "wide arrays in each other": under("dc0400" * 8),
    "a reserved type byte": under("c1"),
    "nothing": b"",
    "a number": b"\x07",
    "two messages in a frame": under("01") * 2,
    "a frame over the limit": under("01") + bytes(FRAME_BYTES),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_without_building_it(name: str) -> None:
    with pytest.raises(ProtocolError):
        decode([PROTOCOL_TAG, HOSTILE[name]])


@pytest.mark.parametrize(
    "frames",
    [[], [PROTOCOL_TAG], [PROTOCOL_TAG, under("01"), under("01")], [b"MDPW01", under("01")], [b"", under("01")]],
)
def test_refuses_other_frames(frames: list[bytes]) -> None:
    with pytest.raises(ProtocolError):
        decode(frames)


def test_a_tag_of_another_version_says_so() -> None:
    with pytest.raises(ProtocolError, match="the peer speaks protocol 2") as refusal:
        decode([b"THAW2", under("01")])
    assert refusal.value.code == "incompatible"


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_a_message_or_refused(data: bytes) -> None:
    decodes_or_refuses(data)


@given(st.sampled_from(GOLDEN), st.lists(st.tuples(st.integers(0), st.binary(max_size=2)), min_size=1, max_size=5))
def test_mutated_messages_are_a_message_or_refused(golden: bytes, mutations: list[tuple[int, bytes]]) -> None:
    data = bytearray(golden)
    for at, replacement in mutations:
        start = at % (len(data) + 1)
        data[start : start + 1] = replacement
    decodes_or_refuses(bytes(data))


def decodes_or_refuses(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert decode([PROTOCOL_TAG, data]).kind in BODIES


@given(st.floats())
def test_any_float_survives_as_a_metric(value: float) -> None:
    spent = SpentSeconds(0.0, 0.0, 0.0, 0.0, 0.0)
    sent = Boundary(1, False, [Metric(key="a", value=to_metric_value(value), seconds=0.0)], spent)
    received = decode(send(sent)).body
    assert isinstance(received, Boundary)
    arrived = received.metrics[0].value
    back = float(arrived.non_finite) if isinstance(arrived, NonFinite) else arrived
    assert (math.isnan(back) and math.isnan(value)) or struct.pack(">d", back) == struct.pack(">d", value)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (Log("info", "x" * 16_385), r"^\$\.body\.text: a string of 16385 bytes"),
        (Log("fatal", "x"), r"^\$\.body\.level: "),  # type: ignore[arg-type]
        (Log("info", "\ud800"), r"^\$\.body: "),
        (Boundary(0, False, [], SpentSeconds(0, 0, 0, 0, 0)), r"^\$\.body\.update: "),
        (Boundary(1, False, [], SpentSeconds(math.nan, 0, 0, 0, 0)), r"^\$\.body\.seconds\.train: a bare NaN"),
    ],
)
def test_a_sender_is_held_to_the_same_rules(body: WorkerBody, text: str) -> None:
    with pytest.raises(ProtocolError, match=text):
        send(body)


def test_our_version_is_the_tag_on_the_wire() -> None:
    assert f"THAW{PROTOCOL_VERSION.major}".encode() == PROTOCOL_TAG


@given(st.text(st.characters(exclude_characters="["), max_size=100), st.integers(1, 400))
def test_a_cut_text_is_short_enough_to_send_and_keeps_its_ends(text: str, times: int) -> None:
    cut = cut_text(text * times)
    assert len(cut.encode()) <= TEXT_BYTES
    clean = (text * times).encode("utf-8", "replace").decode()
    begin, mark, end = cut.partition("\n[... ")
    assert cut == clean or (mark and clean.startswith(begin) and clean.endswith(end.partition(" ...]\n")[2]))
    send(Log("error", cut))


def send(body: WorkerBody) -> tuple[bytes, bytes]:
    return encode(body, run="a", attempt=1, session="s", seq=1)
