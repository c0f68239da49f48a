"""Whose fault an exception is: this decides whether the run is tried again."""

from __future__ import annotations

import pytest

from thawline.errors import EnvironmentFault, NonFiniteLossError, UserError
from thawline.wire.channel import ScriptedChannel
from thawline.wire.codec import TEXT_BYTES
from thawline.wire.failure import describe_failure, report_failure


class OutOfMemoryError(RuntimeError):
    """As torch names it; torch.cuda.OutOfMemoryError is a RuntimeError too."""


@pytest.mark.parametrize(
    ("error", "fault", "code"),
    [
        (UserError("missing_data", "no MNIST in /data", "set data.path"), "user", "missing_data"),
        (NonFiniteLossError(7, float("nan"), 0.1), "code", "non_finite_loss"),
        (EnvironmentFault("the checkpoint of step 3 cannot be written"), "environment", "environment"),
        (OSError(28, "No space left on device"), "environment", "environment"),
        (MemoryError(), "environment", "environment"),
        (OutOfMemoryError("CUDA out of memory"), "environment", "environment"),
        (ZeroDivisionError("division by zero"), "code", "exception"),
        (AssertionError("bn2.bias has requires_grad True"), "code", "exception"),
        (KeyboardInterrupt(), "code", "exception"),
    ],
)
def test_the_fault_has_an_owner(error: BaseException, fault: str, code: str) -> None:
    failed = describe_failure(error, step=6)
    assert (failed.fault, failed.code) == (fault, code)
    assert failed.message
    assert failed.step == (7 if isinstance(error, NonFiniteLossError) else 6)


def test_a_users_mistake_has_a_hint_and_no_traceback() -> None:
    failed = describe_failure(UserError("missing_data", "no MNIST in /data", "set data.path"))
    assert (failed.message, failed.hint, failed.traceback) == ("no MNIST in /data", "set data.path", "")


def raise_deeply(depth: int) -> None:
    if depth == 0:
        raise ValueError("the reason\ud800" + "x" * 100_000)
    raise_deeply(depth - 1)


def test_a_traceback_of_any_length_and_any_text_can_be_sent() -> None:
    channel = ScriptedChannel()
    with pytest.raises(ValueError, match="the reason") as caught:
        raise_deeply(200)
    failed = describe_failure(caught.value)
    report_failure(channel, failed)
    assert channel.sent == [failed]
    assert len(failed.traceback.encode()) <= TEXT_BYTES
    assert failed.message.startswith("ValueError: the reason")


def test_a_controller_that_is_gone_is_not_told() -> None:
    channel = ScriptedChannel()
    channel.close()
    report_failure(channel, describe_failure(ValueError()))
    assert channel.sent == []
