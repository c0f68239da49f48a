from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from tiny_disk import fill_up_to, tiny_disk
from tiny_training import build_network, make_update, sgd

from thawline.errors import EnvironmentFault, NoRoomError
from thawline.storage.checkpoint import load_checkpoint, save_checkpoint
from thawline.storage.room import RESERVE_BYTES, lacks_room, refused_by_disk, require_room


def test_room_is_asked_for_with_a_reserve_for_the_journal(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 4096) as disk:
        fill_up_to(disk, RESERVE_BYTES + 8192)
        require_room(disk, 8192)
        with pytest.raises(OSError, match="no room left on the disk: 8 kB and a reserve of 131 kB are need") as caught:
            require_room(disk, 8193)
        assert lacks_room(caught.value)


def test_of_a_small_disk_less_is_kept_free(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 64) as disk:
        fill_up_to(disk, 8192)
        require_room(disk, 4096)
        with pytest.raises(OSError, match="no room left"):
            require_room(disk, 4097)


def test_a_full_disk_is_told_from_other_faults_whoever_says_it(tmp_path: Path) -> None:
    assert lacks_room(OSError(errno.EDQUOT, "quota"))
    assert not lacks_room(OSError(errno.EACCES, "denied"))
    assert not lacks_room(SafetensorError("Error while serializing: I/O error: Permission denied (os error 13)"))
    with tiny_disk(tmp_path / "disk", 64) as disk, pytest.raises(SafetensorError) as caught:
        save_file({"a": torch.zeros(100_000)}, disk / "a.safetensors")
    assert lacks_room(caught.value)
    assert type(refused_by_disk("it", caught.value)) is NoRoomError
    assert type(refused_by_disk("it", OSError(errno.EIO, "Input/output error"))) is EnvironmentFault


@pytest.mark.parametrize("room", [0, 20_000, RESERVE_BYTES])
def test_a_checkpoint_that_does_not_fit_leaves_the_one_before_and_nothing_else(tmp_path: Path, room: int) -> None:
    model = build_network()
    optimizer = sgd(model)
    make_update(model, optimizer, 1)
    with tiny_disk(tmp_path / "disk", 2048) as disk:
        good = save_checkpoint(disk / "checkpoints", 1, model=model, optimizer=optimizer, extra={})
        ballast = fill_up_to(disk, room)
        with pytest.raises(NoRoomError, match="the checkpoint of step 2 cannot be written: no room left on the disk"):
            save_checkpoint(disk / "checkpoints", 2, model=model, optimizer=optimizer, extra={})
        assert [path.name for path in (disk / "checkpoints").iterdir()] == ["step-00000001"]
        load_checkpoint(good.path, good.manifest_sha256)
        ballast.unlink()
        later = save_checkpoint(disk / "checkpoints", 2, model=model, optimizer=optimizer, extra={})
        load_checkpoint(later.path, later.manifest_sha256)
