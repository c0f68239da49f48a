"""The first two messages of an attempt: who this worker is, and what its controller makes of it."""

from __future__ import annotations

import os
import platform
import socket
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from thawline.errors import UserError
from thawline.wire.protocol import PROTOCOL_VERSION, Hello, Reject, Welcome

if TYPE_CHECKING:
    from thawline.wire.channel import Channel

VERSIONED_PACKAGES: Final = ("torch", "numpy", "scipy", "safetensors")
# Those of the text side that may change a result, and that it cannot do without (`datasets` is for the Hub alone).
TEXT_PACKAGES: Final = ("transformers", "peft", "tokenizers")


ANSWER_SECONDS: Final = 300.0
"""A controller answers at once; one that was stopped, with its terminal or its machine, may take a while."""


class Rejected(UserError):
    """The controller refused this worker and listens no more."""


def shake_hands(channel: Channel, attempt: int, timeout: float = ANSWER_SECONDS) -> Welcome:
    """Says hello as attempt number `attempt` and returns the controller's welcome.

    Raises Rejected with the controller's own words, ChannelClosed, and UserError `no_answer` after `timeout` seconds.
    """
    channel.send(Hello(PROTOCOL_VERSION, os.getpid(), socket.gethostname(), attempt, software_versions()))
    try:
        answer = channel.receive(timeout)
    except TimeoutError:
        raise UserError(
            "no_answer",
            f"the controller did not answer within {timeout:g} s",
            "a run has one process that trains: see whether another one has attached with the same keys, or whether "
            "the controller stands still",
        ) from None
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
    return versions | {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpu": cpu_model()[:256],
    }


def cpu_model(path: Path = Path("/proc/cpuinfo")) -> str:
    """The first processor's name, family and model: clouds name processors of different vector extensions alike."""
    try:
        lines = [line.split(":", 1) for line in path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()]
    except OSError:
        lines = []
    fields = {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}
    if "model name" not in fields:
        return platform.processor() or "unknown"
    family, model = fields.get("cpu family"), fields.get("model")
    return fields["model name"] + (f" (family {family}, model {model})" if family and model else "")
