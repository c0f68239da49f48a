"""Stands where a test asks for Python: has the nursery fork the process, or becomes the real interpreter.

python -I -S stub.py SOCKET PYTHON ARGUMENTS...

It lives as long as the forked process: passes signals on, and ends as that does, by the same code or the same signal.
"""

import json
import os
import resource
import signal
import socket
import sys

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main() -> None:
    nursery, python, *arguments = sys.argv[1:]
    if is_program(arguments):
        end = run_forked(nursery, arguments)
        if end is not None:
            end_like(end)
    os.execv(python, [python, *arguments])


def is_program(arguments: list[str]) -> bool:
    """Whether it is a module of thawline or a script; everything else, such as `-c`, is Python's own business."""
    if arguments[:1] == ["-m"]:
        return len(arguments) > 1 and arguments[1].startswith("thawline.")
    return bool(arguments) and arguments[0].endswith(".py") and os.path.exists(arguments[0])


def run_forked(nursery: str, arguments: list[str]) -> int | None:
    """How the forked process ended, as of `os.waitstatus_to_exitcode`; None where the nursery forks none."""
    lifeline = os.environ.get("THAWLINE_LIFELINE_FD")
    files = [0, 1, 2] if lifeline is None else [0, 1, 2, int(lifeline)]
    mask = os.umask(0o077)
    request = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd(), "files": files}
    request["umask"] = mask
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            connection.connect(nursery)
        except OSError:
            return None
        for name in FORWARDED:
            signal.signal(name, lambda number, _: connection.send(bytes([number])))
        socket.send_fds(connection, [json.dumps(request).encode()], files)
        try:
            answer = connection.recv(100)
        except ConnectionResetError:
            answer = b""
    # Nothing comes from a nursery that was killed; what it forked has died with it.
    return json.loads(answer) if answer else -signal.SIGKILL


def end_like(end: int) -> None:
    if end >= 0:
        os._exit(end)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -end not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-end, signal.SIG_DFL)
    os.kill(os.getpid(), -end)


main()
