"""A controller that is one object, behind a real socket: for what talks to it through `thawline.attach` alone."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import zmq
from granting_channel import GrantingChannel

from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE, Bootstrap
from thawline.wire.codec import decode, encode
from thawline.wire.protocol import Boundary, Failed, Finished, Hello, Ready, Stopped

RUN = "run-1"


@contextmanager
def open_router(folder: Path) -> Iterator[tuple[zmq.Socket[bytes], Path]]:
    """A socket that a worker will talk to, and the bootstrap file that leads it there."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    server_key, router.curve_secretkey = zmq.curve_keypair()
    router.curve_server = True
    router.rcvtimeo = 60_000
    public_key, secret_key = (key.decode() for key in zmq.curve_keypair())
    endpoint = f"ipc://{folder / 'socket'}"
    router.bind(endpoint)
    file = folder / "bootstrap.json"
    file.write_bytes(
        msgspec.json.encode(Bootstrap(endpoint, server_key.decode(), public_key, secret_key, RUN, 1, os.getpid()))
    )
    yield router, file
    context.destroy(linger=0)


def serve(router: zmq.Socket[bytes], channel: GrantingChannel) -> None:
    """Lets `channel` be the controller of the one worker that talks to `router`, until that one has closed."""
    for seq in itertools.count(1):
        while True:
            worker, *frames = router.recv_multipart()
            channel.sent.append(decode(frames, sender="worker").body)
            match channel.sent[-1]:
                case Hello() | Ready() | Boundary():
                    break
                case Finished() | Stopped() | Failed():
                    return
        router.send_multipart([worker, *encode(channel.receive(), run=RUN, attempt=1, session="controller", seq=seq)])


@contextmanager
def served(channel: GrantingChannel, folder: Path) -> Iterator[None]:
    """`thawline.attach` in the `with` block finds `channel`; leaves the block when that has heard the last message."""
    with open_router(folder) as (router, file):
        thread = threading.Thread(target=serve, args=(router, channel))
        thread.start()
        os.environ[BOOTSTRAP_VARIABLE] = str(file)
        try:
            yield
        finally:
            del os.environ[BOOTSTRAP_VARIABLE]
            thread.join()
