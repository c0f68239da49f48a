"""The worker process: `python -m thawline.worker`, started by the controller, never by hand."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from thawline.config.run import RunConfig, TextRunConfig, parse_config
from thawline.errors import UserError, visible_lines
from thawline.host.allocation import keep_freed_memory
from thawline.host.process import bind_life_to_controller
from thawline.wire.channel import Channel, ChannelClosed, ZmqChannel, read_bootstrap
from thawline.wire.failure import describe_failure, report_failure
from thawline.wire.handshake import TEXT_PACKAGES, Rejected, shake_hands
from thawline.wire.protocol import Welcome


def main() -> int:
    """Trains one attempt; returns the exit code. What went wrong is said over the channel and on stderr."""
    try:
        bootstrap = read_bootstrap(os.environ)
    except UserError as error:
        return _complain(error)
    if bootstrap is None:
        return _complain(
            UserError(
                "no_controller",
                "the worker is started by a controller, not by hand",
                "start the run with `npx thawline run`",
            )
        )
    bind_life_to_controller(bootstrap.controller_pid)
    keeps_memory = keep_freed_memory()
    channel = ZmqChannel(bootstrap)
    try:
        return attempt(channel, bootstrap.attempt, keeps_memory=keeps_memory)
    finally:
        channel.close()


def attempt(channel: Channel, number: int, *, keeps_memory: bool = False) -> int:
    """Says hello, trains as the controller's configuration says, and names what failed.

    `keeps_memory`: this process keeps freed memory, which decides the probes' micro-batch. Returns the exit code.
    """
    try:
        welcome = shake_hands(channel, number)
        config = parse_config(welcome.config)
        _train(channel, config, welcome, keeps_memory)
        return 0
    except Rejected as error:
        return _complain(error)
    except ChannelClosed as error:
        return _complain(
            UserError(
                "controller_gone",
                f"the controller is gone: {error}",
                "see what it printed, and go on with `npx thawline resume RUN_DIR`",
            )
        )
    except Exception as error:
        failure = describe_failure(error)
        report_failure(channel, failure)
        print(visible_lines(failure.traceback or f"{failure.code}: {failure.message}"), file=sys.stderr)
        return 2 if failure.fault == "user" else 1


def _train(channel: Channel, config: RunConfig | TextRunConfig, welcome: Welcome, keeps_memory: bool) -> None:
    """Imports only now, and only what is needed: a refused worker should not have to wait for torch."""
    if isinstance(config, RunConfig):
        from thawline.trainers.vision import train_vision

        train_vision(channel, config, welcome, _micro_batch(keeps_memory))
        return
    for package in TEXT_PACKAGES:
        if find_spec(package) is None:
            raise UserError(
                "missing_packages",
                f"this run trains a text encoder, for which the Python package `{package}` is missing",
                "run `node scripts/bootstrap.mjs --with-text`; for a Python of your own it says what that lacks",
            )
    from thawline.trainers.text import train_text

    train_text(channel, config, welcome, _micro_batch(keeps_memory))


def _micro_batch(keeps_memory: bool) -> int:
    """The examples that the probes put through the network at once, decided here and nowhere else."""
    from thawline.probes.objective import MICRO_BATCH, MICRO_BATCH_WHERE_MEMORY_IS_KEPT

    return MICRO_BATCH_WHERE_MEMORY_IS_KEPT if keeps_memory else MICRO_BATCH


def _complain(error: UserError) -> int:
    hint = f"\n\nhint: {error.hint}" if error.hint else ""
    print(visible_lines(f"error: {error.message}{hint}"), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
