"""Frames <-> messages; the mirror of src/protocol/codec.ts. Everything past `decode` is trusted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, get_args

import msgspec
from msgspec import UNSET, UnsetType

from thawline.prescan import ProtocolError, prescan
from thawline.protocol import (
    BODIES,
    CONTROLLER_KINDS,
    PROTOCOL_TAG,
    PROTOCOL_VERSION,
    WORKER_KINDS,
    Body,
    Name,
    Positive,
    Sender,
    SessionId,
)

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
_kind_of: Final = {struct: kind for kind, body in BODIES.items() for struct in (get_args(body) or (body,))}
_kinds_of_sender: Final = {"worker": WORKER_KINDS, "controller": CONTROLLER_KINDS}


def encode(
    body: Body, *, run: str, attempt: int, session: str, seq: int, reply_to: int | None = None
) -> tuple[bytes, bytes]:
    """The two frames of a message; raises ProtocolError where the body breaks its own schema or the limits."""
    envelope = _Envelope(
        kind=_kind_of[type(body)],
        run=run,
        attempt=attempt,
        session=session,
        seq=seq,
        reply_to=UNSET if reply_to is None else reply_to,
        body=msgspec.Raw(_encode_body(body)),
    )
    frames = (PROTOCOL_TAG, _encoder.encode(envelope))
    decode(frames)  # msgspec does not check what it encodes, and a frame the peer refuses would end the attempt.
    return frames


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
    if sender is not None and envelope.kind not in _kinds_of_sender[sender]:
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


def _encode_body(body: Body) -> bytes:
    try:
        return _encoder.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ProtocolError("schema", f"$.body: {error}") from None


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
