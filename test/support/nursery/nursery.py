"""A Python that has imported what the tests' processes import, and forks one for each that stub.py asks for.

python nursery.py SOCKET

Importing PyTorch takes seconds of processor time, with transformers ten; a fork takes hundredths. What is forked is the
process asked for (newborn.py), and so are its bits: nursery.test.ts compares weights. It is not so in two respects, for
which some tests start a process of their own: the hashes of texts are salted alike in all of them, and what fails only
in importing fails here, once.

It ends when its standard input does, and what it forked ends with it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import selectors
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import newborn

MODULES = (
    "torch._dynamo",
    "scipy.stats",
    "thawline.prefetch",
    "thawline.trainers.vision",
    # The packages of the text side, and Lightning, may be missing.
    "thawline.trainers.text",
    "thawline.integrations.huggingface",
    "thawline.integrations.lightning",
    "transformers.models.xlm_roberta.modeling_xlm_roberta",
    "transformers.trainer",
    "lightning",
)

# Read by an import, or before it: nothing that is forked can be given another value.
READ_EARLY = re.compile(r"(GLIBC_|HF_|KMP_|LD_|MALLOC_|MKL_|OMP_|OPENBLAS_|PYTHON|PYTORCH|TORCH|TRANSFORMERS_)")
ANY_VALUE = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
# Where these are not given, one thread is as good as any number.
MAY_BE_ABSENT = {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}


class Nursery:
    """Serves connections of stubs: a request first, then signals to pass on; its answer is how the process ended."""

    def __init__(self, path: str) -> None:
        self.environment = dict(os.environ)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen(100)
        self.selector = selectors.DefaultSelector()
        # By a connection: the process that was forked for it, while it lives.
        self.living: dict[socket.socket, int] = {}

    def serve(self) -> newborn.Request | None:
        """Returns in each forked process, with what it is to be; in the nursery itself at the end, with None."""
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return None
                request = key.data()
                if request is not None:
                    return request

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.read(connection))

    def read(self, connection: socket.socket) -> newborn.Request | None:
        message, files, _, _ = socket.recv_fds(connection, 1_000_000, 4)
        pid = self.living.get(connection)
        if message and pid is None:
            return self.fork(connection, json.loads(message), files)
        if message and pid is not None:
            os.kill(pid, message[0])
            return None
        # The stub was killed.
        if pid is not None:
            kill_session(pid)
        self.forget(connection)
        return None

    def fork(self, connection: socket.socket, request: dict[str, Any], files: list[int]) -> newborn.Request | None:
        if not self.can_give(request["environment"]):
            # The stub becomes the real interpreter.
            for file in files:
                os.close(file)
            connection.send(b"null")
            self.forget(connection)
            return None
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            newborn.leave_parent(parent)
            self.close()
            return newborn.Request(**request | {"files": dict(zip(request["files"], files, strict=True))})
        for file in files:
            os.close(file)
        self.living[connection] = pid
        descriptor = os.pidfd_open(pid)
        self.selector.register(descriptor, selectors.EVENT_READ, lambda: self.bury(connection, descriptor, pid))
        return None

    def can_give(self, environment: dict[str, str]) -> bool:
        """Whether a forked process can have this environment."""
        for name in environment.keys() | self.environment.keys():
            if READ_EARLY.match(name) is None or name in ANY_VALUE:
                continue
            if name in MAY_BE_ABSENT and name not in environment:
                continue
            if environment.get(name) != self.environment.get(name):
                return False
        return True

    def bury(self, connection: socket.socket, descriptor: int, pid: int) -> None:
        self.selector.unregister(descriptor)
        os.close(descriptor)
        # Whoever started the stub would kill its group now, in which what this one has started is not.
        kill_session(pid)
        _, status = os.waitpid(pid, 0)
        if self.living.pop(connection, None) is None:
            return
        with suppress(BrokenPipeError):
            connection.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
        self.forget(connection)

    def forget(self, connection: socket.socket) -> None:
        self.living.pop(connection, None)
        self.selector.unregister(connection)
        connection.close()

    def close(self) -> None:
        """Everything of the nursery's own, in a process that was forked."""
        for key in list(self.selector.get_map().values()):
            if key.fileobj is not sys.stdin:
                os.close(key.fd)
        self.selector.close()


def kill_session(leader: int) -> None:
    """The process and its group; at its very beginning it has none of its own, and is alone."""
    os.kill(leader, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def import_all() -> None:
    for name in MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
    threads = os.listdir("/proc/self/task")
    if len(threads) > 1:
        raise RuntimeError(f"a process with {len(threads)} threads cannot be forked")
    # What is there stays as it is, and its memory shared: a collection would write to it.
    gc.collect()
    gc.freeze()


def main() -> None:
    nursery = Nursery(sys.argv[1])
    # From now on stubs can connect, and wait.
    print("listening", flush=True)
    import_all()
    request = nursery.serve()
    if request is not None:
        newborn.become(request)


if __name__ == "__main__":
    main()
