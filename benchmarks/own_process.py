"""A side in a process of its own: for what belongs to a process, like the way its allocator treats freed memory."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType

import torch

from benchmarks.timing import Action, Clock
from thawline.host.allocation import keep_freed_memory


class OwnProcess:
    """Runs and times in a new process what `build` makes there; `build` has to be picklable.

    `as_worker`: with freed memory kept, as thawline's worker has it; else as in a script. A process that fails shows
    its own traceback, and `seconds` raises ChildProcessError.
    """

    def __init__(self, build: Callable[[], Action], clock: Clock, threads: int, *, as_worker: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, build, clock, threads, as_worker))
        self._process.start()
        theirs.close()

    def seconds(self) -> float:
        """One turn."""
        try:
            self._connection.send("turn")
            taken: float = self._connection.recv()
        except (EOFError, OSError):
            raise ChildProcessError("the process of one side has ended; its traceback stands above") from None
        return taken

    def __enter__(self) -> OwnProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join()


def _serve(connection: Connection, build: Callable[[], Action], clock: Clock, threads: int, as_worker: bool) -> None:
    """Until the other end is closed, which it also is when its process dies."""
    torch.set_num_threads(threads)
    if as_worker:
        keep_freed_memory()
    action = build()
    gc.collect()
    gc.disable()  # a collection would land on a turn
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        connection.send(clock.seconds_of(action))
