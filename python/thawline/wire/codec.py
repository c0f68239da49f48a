"""Frames <-> messages; the mirror of src/protocol/codec.ts. Everything past `decode` is trusted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from thawline.wire.kinds import BODIES, KINDS_OF_SENDER, Body, Sender, kind_of
from thawline.wire.prescan import MAX_SAFE_INTEGER, ProtocolError, prescan
from thawline.wire.protocol import PROTOCOL_TAG, PROTOCOL_VERSION
from thawline.wire.values import Name, Positive, SessionId

TEXT_BYTES: Final = 8 * 1024
"""Tracebacks and log texts are cut to this: an oversize frame makes libzmq drop the connection silently."""


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    kind: str
    run: Name
    attempt: Positive
    session: SessionId
    seq: Positive
    reply_to: Positive | UnsetType = UNSET
    body: msgspec.Raw


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its envelope; `seq` counts from 1 per session and direction."""

    kind: str
    run: str
    attempt: int
    session: str
    seq: int
    reply_to: int | None = None
    body: Body


_encoder: Final = msgspec.msgpack.Encoder()
_envelope_decoder: Final = msgspec.msgpack.Decoder(_Envelope)
_body_decoders: Final = {kind: msgspec.msgpack.Decoder(body) for kind, body in BODIES.items()}


class EncodedBody(NamedTuple):
    """A body that was found to fit a message, on its way to its envelope."""

    kind: str
    content: bytes


def encode_body(body: Body, *, run: str, attempt: int, session: str) -> EncodedBody:
    """Raises ProtocolError where the body breaks its own schema, or the limits in the largest envelope it may get."""
    try:
        encoded = EncodedBody(kind_of(type(body)), _encoder.encode(body))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ProtocolError("schema", f"$.body: {error}") from None
    # msgspec does not check what it encodes, and a frame the peer refuses would end the attempt.
    largest = MAX_SAFE_INTEGER
    decode(enclose(encoded, run=run, attempt=attempt, session=session, seq=largest, reply_to=largest))
    return encoded


def enclose(
    body: EncodedBody, *, run: str, attempt: int, session: str, seq: int, reply_to: int | None = None
) -> tuple[bytes, bytes]:
    """The two frames of a message, whose body was checked when it was encoded."""
    envelope = _Envelope(
        kind=body.kind,
        run=run,
        attempt=attempt,
        session=session,
        seq=seq,
        reply_to=UNSET if reply_to is None else reply_to,
        body=msgspec.Raw(body.content),
    )
    return PROTOCOL_TAG, _encoder.encode(envelope)


def encode(
    body: Body, *, run: str, attempt: int, session: str, seq: int, reply_to: int | None = None
) -> tuple[bytes, bytes]:
    """The two frames of a message; raises ProtocolError like `encode_body`."""
    encoded = encode_body(body, run=run, attempt=attempt, session=session)
    return enclose(encoded, run=run, attempt=attempt, session=session, seq=seq, reply_to=reply_to)


def decode(frames: Sequence[bytes], sender: Sender | None = None) -> Message:
    """The message in `frames`; raises ProtocolError (its text names the path) for everything else.

    With `sender`, kinds that this side never sends are refused as well.
    """
    if len(frames) != 2:
        raise ProtocolError("frame_count", f"a message of {len(frames)} frames (expected 2)")
    _check_tag(frames[0])
    prescan(frames[1])
    try:
        envelope = _envelope_decoder.decode(frames[1])
    except msgspec.DecodeError as error:
        raise ProtocolError("schema", _with_path(error, "$")) from None
    if envelope.kind not in BODIES:
        raise ProtocolError("schema", f"$.kind: unknown kind `{envelope.kind[:64]}`")
    if sender is not None and envelope.kind not in KINDS_OF_SENDER[sender]:
        raise ProtocolError("direction", f"$.kind: a {sender} never sends `{envelope.kind}`")
    return Message(
        kind=envelope.kind,
        run=envelope.run,
        attempt=envelope.attempt,
        session=envelope.session,
        seq=envelope.seq,
        reply_to=None if isinstance(envelope.reply_to, UnsetType) else envelope.reply_to,
        body=_decode_body(envelope.kind, envelope.body),
    )


def cut_text(text: str) -> str:
    """`text` as it may travel: valid UTF-8 of at most TEXT_BYTES, with what was cut out of its middle named.

    The end is kept longer than the beginning, because a traceback says what happened in its last lines.
    """
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= TEXT_BYTES:
        return encoded.decode()
    begin, end = encoded[: TEXT_BYTES // 4], encoded[-(TEXT_BYTES * 5 // 8) :]
    mark = f"\n[... {len(encoded) - len(begin) - len(end)} bytes cut ...]\n"
    return begin.decode("utf-8", "ignore") + mark + end.decode("utf-8", "ignore")


def _decode_body(kind: str, body: msgspec.Raw) -> Body:
    try:
        decoded: Body = _body_decoders[kind].decode(body)
    except msgspec.DecodeError as error:
        raise ProtocolError("schema", _with_path(error, "$.body")) from None
    return decoded


def _check_tag(tag: bytes) -> None:
    if tag == PROTOCOL_TAG:
        return
    if re.fullmatch(rb"THAW[0-9]{1,3}", tag):
        raise ProtocolError(
            "incompatible",
            f"the peer speaks protocol {tag[4:].decode()}, this package protocol {PROTOCOL_VERSION.major}",
        )
    raise ProtocolError("tag", "the first frame is not a thawline tag")


def _with_path(error: msgspec.DecodeError, root: str) -> str:
    """msgspec says where at the end, "... - at `$.path`" or "... - at `key` in `$.path`"; ours begin with it."""
    what, _, where = str(error).partition(" - at ")
    path = where[where.find("$") + 1 : -1]
    return f"{root}{path}: {what[:1].lower()}{what[1:]}"
