"""What a process that the nursery has forked does to be the one that was asked for."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import io
import os
import runpy
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import NoReturn

_PR_SET_PDEATHSIG = 1


@dataclass
class Request:
    """`arguments` of Python; `files` are this process's descriptors by the numbers that they are to have."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    umask: int
    files: dict[int, int]


def leave_parent(parent: int) -> None:
    """A session of its own, so that a kill of its group is one of all that it starts; its life ends with `parent`'s."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def become(request: Request) -> NoReturn:
    """Runs the module or script as `python ARGUMENTS...` does, to its end."""
    _prepare(request)
    code = 0
    try:
        _run(request)
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException as error:
        _complain(error)
        code = 1
    _end(code)


def _prepare(request: Request) -> None:
    _take_files(request.files)
    os.chdir(request.folder)
    os.umask(request.umask)
    os.environ.clear()
    os.environ.update(request.environment)
    tempfile.tempdir = None  # As it was before TMPDIR was read.
    sys.dont_write_bytecode = bool(request.environment.get("PYTHONDONTWRITEBYTECODE"))
    _open_streams(unbuffered=bool(request.environment.get("PYTHONUNBUFFERED")))
    _reseed()


def _run(request: Request) -> None:
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    if request.arguments[0] == "-m":
        _, module, *rest = request.arguments
        sys.path[0] = request.folder
        sys.argv = ["-m", *rest]
        runpy._run_module_as_main(module)  # What `python -m` itself calls.
    else:
        script = os.path.abspath(request.arguments[0])
        sys.path[0] = os.path.dirname(os.path.realpath(script))
        sys.argv = request.arguments
        main.__dict__.update(__file__=script, __cached__=None, __builtins__=__builtins__)
        exec(_compiled(script), main.__dict__)


def _take_files(files: dict[int, int]) -> None:
    # The numbers that were received are above those asked for: copied there first, so that none is overwritten.
    above = max(files) + 1
    copies = {number: _duplicate_above(file, above) for number, file in files.items()}
    for number, copy in copies.items():
        os.dup2(copy, number, inheritable=True)
        os.close(copy)
    for file in files.values():
        if file not in files:
            os.close(file)


def _duplicate_above(file: int, least: int) -> int:
    return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, least)


def _open_streams(unbuffered: bool) -> None:
    """Standard streams with no more buffering than Python's own where nobody is at a terminal."""
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    for number, name, errors in ((1, "stdout", "strict"), (2, "stderr", "backslashreplace")):
        binary = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(
            binary if unbuffered else io.BufferedWriter(binary),
            encoding="utf-8",
            errors=errors,
            line_buffering=name == "stderr" and not unbuffered,
            write_through=unbuffered,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _reseed() -> None:
    """What a new process seeds by the system's randomness (`random` does so itself after a fork)."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _compiled(script: str) -> CodeType:
    with io.open_code(script) as file:
        return compile(file.read(), script, "exec")


def _exit_code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr)
    return 1


def _complain(error: BaseException) -> None:
    """As Python does, by the hook that may be another's, without the frames of the nursery, which come first."""
    own = (os.path.dirname(os.path.abspath(__file__)), "<frozen runpy>")
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(own):
        trace = trace.tb_next
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _end(code: int) -> NoReturn:
    """As Python does, up to where it would take all modules apart: that is half a second for so many."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
