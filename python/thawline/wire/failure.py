"""What an attempt says when it ends with an exception."""

from __future__ import annotations

import contextlib
import traceback
from typing import TYPE_CHECKING

from thawline.errors import EnvironmentFault, NonFiniteLossError, UserCodeError, UserError
from thawline.wire.codec import cut_text
from thawline.wire.link import ChannelClosed
from thawline.wire.protocol import Failed

if TYPE_CHECKING:
    from thawline.wire.channel import Channel


TRACEBACK_HINT = "the traceback is in `worker.log`"


def describe_failure(error: BaseException, step: int = 0) -> Failed:
    """Whose fault it is decides what the controller does: ask the user, give up, or try again.

    `step` is the number of updates completed, where it is known.
    """
    text = cut_text("".join(traceback.format_exception(error)))
    if isinstance(error, UserError):
        return Failed(step, "user", error.code, cut_text(error.message), cut_text(error.hint))
    if isinstance(error, NonFiniteLossError):
        hint = "lower the learning rate; the last checkpoint is kept"
        return Failed(error.update, "code", "non_finite_loss", str(error), hint)
    if isinstance(error, UserCodeError):
        return Failed(step, "code", "user_code", cut_text(str(error)), TRACEBACK_HINT, cut_text(error.traceback))
    if isinstance(error, EnvironmentFault | MemoryError | OSError) or type(error).__name__ == "OutOfMemoryError":
        return Failed(step, "environment", "environment", cut_text(str(error) or type(error).__name__), "", text)
    if isinstance(error, SystemExit):
        return Failed(step, "code", "script_exit", cut_text(f"the script left its training by `sys.exit({error})`"))
    message = cut_text(f"{type(error).__name__}: {error}")
    return Failed(step, "code", "exception", message, TRACEBACK_HINT, text)


def is_clean(error: SystemExit) -> bool:
    """Whether a script that ends by `error` ends well: `sys.exit()` and `sys.exit(0)`."""
    return error.code is None or error.code == 0


def report_failure(channel: Channel, failure: Failed) -> None:
    """Sends the last message of an attempt; a controller that is gone has no use for it."""
    with contextlib.suppress(ChannelClosed):
        channel.send(failure)
