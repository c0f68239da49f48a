"""A small file system of its own, which can be filled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def tiny_disk(mount_point: Path, kibibytes: int) -> Iterator[Path]:
    """Mounts one of that size; skips the test where mounting is not permitted, as to anybody but root."""
    mount_point.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(mount_point)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield mount_point
    finally:
        subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


def fill_up_to(folder: Path, num_bytes: int) -> Path:
    """Takes all room of the disk but that; returns the file that does."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    disk = os.statvfs(folder)
    ballast.write_bytes(bytes(max(0, disk.f_bavail - num_bytes // disk.f_frsize) * disk.f_frsize))
    return ballast
