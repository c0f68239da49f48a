"""Decodes frames as the worker does: on stdin a length (4 bytes, big-endian) before each; a line on stdout for each.

A line is `ok HEX`, the message encoded again, or `no CODE`.
"""

from __future__ import annotations

import struct
import sys

from thawline.wire.codec import decode, encode
from thawline.wire.prescan import ProtocolError
from thawline.wire.protocol import PROTOCOL_TAG


def verdict(frame: bytes) -> str:
    """What the worker makes of the map `frame`; anything but a ProtocolError is a fault of ours, and ends this."""
    try:
        message = decode([PROTOCOL_TAG, frame])
    except ProtocolError as error:
        return f"no {error.code}"
    around = {"run": message.run, "attempt": message.attempt, "session": message.session}
    return f"ok {encode(message.body, **around, seq=message.seq, reply_to=message.reply_to)[1].hex()}"


def main() -> None:
    """Until the end of stdin."""
    stream = sys.stdin.buffer
    lines = []
    while header := stream.read(4):
        lines.append(verdict(stream.read(struct.unpack(">I", header)[0])))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
