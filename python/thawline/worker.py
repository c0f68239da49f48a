"""The worker process: `python -m thawline.worker`, started by the controller, never by hand."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import sys
import traceback
from importlib import metadata

from thawline.channel import Channel, ChannelClosed, ZmqChannel, read_bootstrap
from thawline.codec import cut_text
from thawline.config import parse_config
from thawline.errors import EnvironmentFault, NonFiniteLossError, UserError
from thawline.process import bind_life_to_controller
from thawline.protocol import PROTOCOL_VERSION, Failed, Hello, Reject, Welcome

VERSIONED_PACKAGES = ("torch", "numpy", "scipy", "safetensors")


def main() -> int:
    """Trains one attempt; returns the exit code. What went wrong is said over the channel and on stderr."""
    try:
        bootstrap = read_bootstrap(os.environ)
    except UserError as error:
        return _complain(error)
    if bootstrap is None:
        return _complain(UserError("no_controller", "the worker is started by `thawline run`, not by hand"))
    bind_life_to_controller(bootstrap.controller_pid)
    channel = ZmqChannel(bootstrap)
    try:
        return attempt(channel, bootstrap.attempt)
    finally:
        channel.close()


def attempt(channel: Channel, number: int) -> int:
    """Says hello, trains as the controller's configuration says, and names what failed."""
    channel.send(Hello(PROTOCOL_VERSION, os.getpid(), socket.gethostname(), number, software_versions()))
    try:
        welcome = channel.receive()
        if isinstance(welcome, Reject):
            return _complain(UserError(welcome.code, welcome.message, welcome.hint))
        assert isinstance(welcome, Welcome), f"expected welcome, got {type(welcome).__name__}"
        config = parse_config(welcome.config)
        # Imported only now: a refused worker should not have to wait for torch.
        from thawline.trainers.vision import train_vision

        train_vision(channel, config, welcome)
        return 0
    except ChannelClosed as error:
        return _complain(UserError("controller_gone", f"the controller is gone: {error}"))
    except Exception as error:
        failure = describe_failure(error)
        _say(channel, failure)
        print(failure.traceback or f"{failure.code}: {failure.message}", file=sys.stderr)
        return 2 if failure.fault == "user" else 1


def describe_failure(error: Exception) -> Failed:
    """Whose fault it is decides what the controller does: ask the user, give up, or try again."""
    text = cut_text("".join(traceback.format_exception(error)))
    step = 0
    if isinstance(error, UserError):
        return Failed(step, "user", error.code, error.message, error.hint)
    if isinstance(error, NonFiniteLossError):
        hint = "lower `train.learning_rate`; the last checkpoint is kept"
        return Failed(error.update, "code", "non_finite_loss", str(error), hint)
    if isinstance(error, EnvironmentFault | MemoryError | OSError) or type(error).__name__ == "OutOfMemoryError":
        return Failed(step, "environment", "environment", cut_text(str(error) or type(error).__name__), "", text)
    message = cut_text(f"{type(error).__name__}: {error}")
    return Failed(step, "code", "exception", message, "the traceback is in `worker.log`", text)


def software_versions() -> dict[str, str]:
    """What may change the bits of a result: a resumed run compares these with its first attempt's."""
    versions = {name: metadata.version(name) for name in VERSIONED_PACKAGES}
    return versions | {"python": platform.python_version(), "machine": platform.machine(), "cpu": _cpu_model()[:256]}


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"


def _say(channel: Channel, failure: Failed) -> None:
    with contextlib.suppress(ChannelClosed):
        channel.send(failure)


def _complain(error: UserError) -> int:
    print(f"error: {error.message}" + (f"\n\nhint: {error.hint}" if error.hint else ""), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
