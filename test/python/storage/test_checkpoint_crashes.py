"""Whatever ends or disturbs a process that saves: what has a checkpoint's name is whole, and older ones are intact."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from tiny_training import build_network, make_update, sgd

from thawline.errors import EnvironmentFault
from thawline.storage import checkpoint, sealed_folder
from thawline.storage.checkpoint import load_checkpoint, save_checkpoint

TraceFunction = Callable[[FrameType, str, Any], Any]


def fork(work: Callable[[], None]) -> int:
    """The pid of a child that does `work` and nothing else."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def load_whatever_is_there(folder: Path) -> list[int]:
    """The steps of all folders with a checkpoint's name; each must be complete and agree with its own manifest."""
    paths = sorted(folder.glob("step-*"))
    digests = [hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest() for path in paths]
    return [load_checkpoint(path, digest).step for path, digest in zip(paths, digests, strict=True)]


def test_a_process_killed_anywhere_in_saving_leaves_whole_checkpoints_only(tmp_path: Path) -> None:
    """Killed before every third line that saving runs through."""
    model = build_network()
    optimizer = sgd(model)
    make_update(model, optimizer, 1)

    def save(folder: Path, step: int) -> None:
        save_checkpoint(folder, step, model=model, optimizer=optimizer, extra={})

    def save_and_die_before(line: int, folder: Path) -> None:
        lines = itertools.count()

        def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
            if frame.f_code.co_filename not in (checkpoint.__file__, sealed_folder.__file__, shutil.__file__):
                return None
            if event == "line" and next(lines) == line:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        save(folder, 2)

    steps_found = []
    for line in itertools.count(0, 3):
        folder = tmp_path / str(line)
        save(folder, 1)
        code = exit_code(fork(functools.partial(save_and_die_before, line, folder)))
        steps_found.append(load_whatever_is_there(folder))
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert len(steps_found) > 20
    assert steps_found == sorted(steps_found)
    assert (steps_found[0], steps_found[-1]) == ([1], [1, 2])


def test_a_process_killed_at_any_time_leaves_whole_checkpoints_only(tmp_path: Path) -> None:
    """Killed at random moments, also in the middle of writing a file."""

    def save_for_ever(folder: Path, announce: int) -> None:
        model = build_network()
        optimizer = sgd(model)
        make_update(model, optimizer, 1)
        for step in itertools.count(1):
            saved = save_checkpoint(folder, step, model=model, optimizer=optimizer, extra={})
            os.write(announce, f"{saved.path.name} {saved.manifest_sha256}\n".encode())

    delays = random.Random(0)
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        reader, writer = os.pipe()
        child = fork(functools.partial(save_for_ever, folder, writer))
        os.close(writer)
        with open(reader, encoding="utf-8") as announced:
            lines = [announced.readline()]
            time.sleep(delays.uniform(0, 0.03))
            os.kill(child, signal.SIGKILL)
            lines += announced
        assert exit_code(child) == -signal.SIGKILL
        for name, manifest_sha256 in map(str.split, lines):
            load_checkpoint(folder / name, manifest_sha256)
        assert len(load_whatever_is_there(folder)) - len(lines) in (0, 1)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a file system: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs `mount`")
@pytest.mark.parametrize("left_free", [0, 4096, 12 * 1024, 20 * 1024])
def test_a_full_disk_is_the_environments_fault_and_spares_older_checkpoints(tiny_disk: Path, left_free: int) -> None:
    """The disk runs full at the first file, at a later one, and at the last."""
    model = build_network()
    optimizer = sgd(model)
    older = save_checkpoint(tiny_disk, 1, model=model, optimizer=optimizer, extra={})
    free = os.statvfs(tiny_disk).f_bavail * os.statvfs(tiny_disk).f_frsize
    (tiny_disk / "ballast").write_bytes(b"x" * (free - left_free))
    make_update(model, optimizer, 1)
    big = {"big": torch.zeros(8 * 1024)}
    with pytest.raises(EnvironmentFault, match="step 2"):
        save_checkpoint(tiny_disk, 2, model=model, optimizer=optimizer, extra=big)
    load_checkpoint(older.path, older.manifest_sha256)
    assert sorted(path.name for path in tiny_disk.iterdir()) == ["ballast", "step-00000001"]
    (tiny_disk / "ballast").unlink()
    newer = save_checkpoint(tiny_disk, 2, model=model, optimizer=optimizer, extra={})
    load_checkpoint(newer.path, newer.manifest_sha256)


def test_a_folder_that_cannot_be_made_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = build_network()
    with pytest.raises(EnvironmentFault, match="step 3"):
        save_checkpoint(tmp_path / "file", 3, model=model, optimizer=sgd(model), extra={})
