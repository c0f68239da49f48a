"""The first two messages of an attempt: who this worker is, and what its controller makes of it."""

from __future__ import annotations

import os
import platform
import socket
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING, Final

from thawline.errors import UserError
from thawline.protocol import PROTOCOL_VERSION, Hello, Reject, Welcome

if TYPE_CHECKING:
    from thawline.channel import Channel

VERSIONED_PACKAGES: Final = ("torch", "numpy", "scipy", "safetensors")
TEXT_PACKAGES: Final = ("transformers", "peft", "tokenizers")


class Rejected(UserError):
    """The controller refused this worker and listens no more."""


def shake_hands(channel: Channel, attempt: int) -> Welcome:
    """Says hello as attempt number `attempt` and returns the controller's welcome.

    Raises Rejected with the controller's own words, ChannelClosed.
    """
    channel.send(Hello(PROTOCOL_VERSION, os.getpid(), socket.gethostname(), attempt, software_versions()))
    answer = channel.receive()
    if isinstance(answer, Reject):
        raise Rejected(answer.code, answer.message, answer.hint)
    assert isinstance(answer, Welcome), f"expected welcome, got {type(answer).__name__}"
    return answer


def software_versions() -> dict[str, str]:
    """What may change the bits of a result: a resumed run compares these with its first attempt's.

    What the run is, is not known yet: the controller of a run on images passes over the packages of the text side.
    """
    versions = {name: metadata.version(name) for name in VERSIONED_PACKAGES}
    for name in TEXT_PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions | {"python": platform.python_version(), "machine": platform.machine(), "cpu": _cpu_model()[:256]}


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"
