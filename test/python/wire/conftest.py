"""A real ROUTER, and a channel that is connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq
from router_controller import Controller

from thawline.wire.channel import ZmqChannel
from thawline.wire.protocol import (
    Log,
)


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
