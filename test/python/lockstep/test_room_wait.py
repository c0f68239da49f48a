from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tiny_disk import fill_up_to, tiny_disk

from thawline.errors import EnvironmentFault, NoRoomError
from thawline.interruption import Interrupted
from thawline.lockstep.room_wait import RoomWait
from thawline.storage.room import refused_by_disk
from thawline.wire.channel import ScriptedChannel
from thawline.wire.protocol import Log, Progress


class Writing:
    """Fails by a full disk until it is called for the `succeeds_at`-th time."""

    def __init__(self, succeeds_at: int) -> None:
        self.calls = 0
        self._succeeds_at = succeeds_at

    def __call__(self) -> str:
        self.calls += 1
        if self.calls < self._succeeds_at:
            raise NoRoomError("it cannot be written: no room")
        return "written"


def test_with_room_nothing_is_said() -> None:
    channel = ScriptedChannel()
    assert RoomWait(channel).until_written(5, Writing(1)) == "written"
    assert channel.sent == []


def test_a_full_disk_is_said_once_and_waited_for_with_signs_of_life() -> None:
    channel = ScriptedChannel()
    assert RoomWait(channel, retry_seconds=0.01).until_written(5, Writing(4)) == "written"
    waiting = Progress(5, None, 0.0, "checkpoint", "waiting for room on the disk")
    said = Log("warning", "it cannot be written: no room; the run waits until there is room")
    again = Log("info", "there is room on the disk again: the run goes on")
    assert channel.sent == [said, waiting, waiting, waiting, again]


def test_a_recall_ends_the_wait() -> None:
    channel = ScriptedChannel()
    writing = Writing(10**9)
    recall = threading.Timer(0.05, channel.recall)
    recall.start()
    with pytest.raises(Interrupted):
        RoomWait(channel, retry_seconds=3600).until_written(5, writing)
    assert writing.calls == 1


def test_another_fault_is_not_waited_for() -> None:
    def write() -> None:
        raise EnvironmentFault("the disk is lost")

    with pytest.raises(EnvironmentFault, match="lost"):
        RoomWait(ScriptedChannel()).until_written(5, write)


def test_a_disk_on_which_room_is_made_is_written_to(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 64) as disk:
        ballast = fill_up_to(disk, 0)

        def write() -> None:
            try:
                (disk / "file").write_bytes(b"x" * 20_000)
            except OSError as error:
                raise refused_by_disk("the file", error) from error

        make_room = threading.Timer(0.1, ballast.unlink)
        make_room.start()
        RoomWait(ScriptedChannel(), retry_seconds=0.02).until_written(5, write)
        assert (disk / "file").stat().st_size == 20_000
