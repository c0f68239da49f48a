"""No orphans: a worker, and every process it starts, ends with its controller, however the controller ends."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import sys
from typing import Final

from thawline.failpoint import failpoint

LIFELINE_VARIABLE: Final = "THAWLINE_LIFELINE_FD"
_PR_SET_PDEATHSIG: Final = 1

# Standard input is the lifeline. A worker on its way to a checkpoint may get these signals for its whole group.
_GUARD: Final = """
import os, signal
for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(name, signal.SIG_IGN)
while os.read(0, 1):
    pass
os.killpg(0, signal.SIGKILL)
"""


def bind_life_to_controller(controller_pid: int) -> None:
    """Ends this process group as soon as the controller is gone; returns at once, except where it already is.

    Twofold. The kernel kills this process when its parent dies (Linux), which needs nothing of ours to run. And a guard
    process reads the lifeline, a pipe that nobody writes to and that only the controller holds open, and at its end
    kills the group: loader children, which the kernel would leave, and a worker behind a wrapper. A thread could not:
    it dies with the first kill, and waits for ever while a native call holds the interpreter lock.
    """
    bind_life_to_parent(os.getppid())
    if not _is_running(controller_pid):
        os.killpg(0, signal.SIGKILL)
    descriptor = os.environ.pop(LIFELINE_VARIABLE, None)  # Popped: in a child the number may mean another file.
    if descriptor is not None and _is_pipe(int(descriptor)):
        _start_guard(int(descriptor))
        failpoint("guard.started")


def bind_life_to_parent(parent_pid: int) -> None:
    """For a loader child (`worker_init_fn`): the kernel kills it when `parent_pid`, its parent, dies.

    Linux only, elsewhere without effect. The request is not inherited by fork and is cleared by nothing but exec of a
    set-user-id program, so every child makes its own. A parent that died before the request is noticed by its pid.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl(PR_SET_PDEATHSIG): {os.strerror(error)}")
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def _start_guard(lifeline: int) -> None:
    os.set_inheritable(lifeline, False)
    # Without standard output and error, or whoever reads the worker's would wait for the guard as well.
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", _GUARD],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, lifeline, 0), *quiet],
    )
    os.close(lifeline)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_pipe(descriptor: int) -> bool:
    """Whether it may be the lifeline; a wrapper that closed it can have opened a file under the same number."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
