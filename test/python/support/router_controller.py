"""A ROUTER with CURVE that plays the controller of one worker's channel."""

from __future__ import annotations

import os
from tempfile import mkdtemp

import zmq

from thawline.wire.channel import Bootstrap
from thawline.wire.codec import Message, decode, encode
from thawline.wire.protocol import (
    ControllerBody,
)

WAIT_MS = 5000


class Controller:
    """A ROUTER that remembers its worker's routing id and numbers what it sends."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], queue: int = 1000) -> None:
        self.router = context.socket(zmq.ROUTER)
        self.router.rcvhwm = queue
        public, secret = zmq.curve_keypair()
        self.router.curve_secretkey = secret
        self.router.curve_server = True
        self.router.linger = 0
        self.router.rcvtimeo = WAIT_MS
        endpoint = f"ipc://{mkdtemp()}/socket"
        self.router.bind(endpoint)
        worker_public, worker_secret = zmq.curve_keypair()
        self.bootstrap = Bootstrap(
            endpoint,
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
