"""No orphans: a worker, and every process it starts, ends with its controller, however the controller ends."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import sys
import threading
from typing import Final

LIFELINE_VARIABLE: Final = "THAWLINE_LIFELINE_FD"
_PR_SET_PDEATHSIG: Final = 1


def bind_life_to_controller(controller_pid: int) -> None:
    """Ends this process group as soon as the controller is gone; returns at once, except where it already is.

    The kernel kills the process when its parent dies (Linux). Where a wrapper stands between the two, and on other
    systems, a thread reads the lifeline: a pipe that nobody writes to and that only the controller holds open.
    """
    bind_life_to_parent(os.getppid())
    if not _is_running(controller_pid):
        _end_group()
    descriptor = os.environ.pop(LIFELINE_VARIABLE, None)  # Popped: in a child the number may mean another file.
    if descriptor is not None and _is_pipe(int(descriptor)):
        os.set_inheritable(int(descriptor), False)
        threading.Thread(target=_watch, args=(int(descriptor),), name="thawline-lifeline", daemon=True).start()


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


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    _end_group()


def _end_group() -> None:
    """SIGKILL to the own group: loader children and wrappers share it, and the launcher made it for this attempt."""
    os.killpg(0, signal.SIGKILL)


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
