import warnings

import pytest

from thawline.lockstep.warning_log import WarningLog
from thawline.wire.channel import ScriptedChannel
from thawline.wire.protocol import Log


def test_a_warning_is_told_once_and_shown_as_ever() -> None:
    channel = ScriptedChannel([])
    told = WarningLog(channel)

    def warn_twice() -> None:
        for _ in range(2):
            with told.listening():
                warnings.warn("memory is short", stacklevel=1)

    with pytest.warns(UserWarning, match="memory is short") as shown:
        warn_twice()
    assert channel.sent == [Log("warning", "memory is short")]
    assert [str(warning.message) for warning in shown] == ["memory is short"]
    assert shown[0].filename == __file__


def test_it_is_told_also_where_an_exception_follows() -> None:
    channel = ScriptedChannel([])

    def fail() -> None:
        with WarningLog(channel).listening():
            warnings.warn("memory is short", stacklevel=1)
            raise MemoryError

    with pytest.warns(UserWarning, match="memory is short"), pytest.raises(MemoryError):
        fail()
    assert channel.sent == [Log("warning", "memory is short")]


def test_a_warning_that_the_user_has_silenced_stays_so() -> None:
    channel = ScriptedChannel([])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with WarningLog(channel).listening():
            warnings.warn("memory is short", stacklevel=1)
    assert channel.sent == []
