"""A terminal and the shell in it, for test/support/terminal/terminal.ts: a JSON line in for each order, one back.

A session of its own leads the terminal, as a shell does: it starts a command as the foreground job, takes the terminal
back when the job stops or ends, and gives it again. It restores nothing: what a command leaves of the terminal's modes
is what the orders `modes` tell. Only the standard library is used.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import threading
import time
from typing import Any


class Terminal:
    """The side of the person: keys in, whatever is drawn out, sizes."""

    def __init__(self) -> None:
        self.keys, self.device = pty.openpty()
        self.drawn = bytearray()
        self.lock = threading.Lock()
        self.read = threading.Event()
        self.read.set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            self.read.wait()
            # Looked at again and again, so that nothing more is taken once nobody is to read.
            if not select.select([self.keys], [], [], 0.05)[0] or not self.read.is_set():
                continue
            with self.lock:
                self.drawn += os.read(self.keys, 1 << 16)

    def take_drawn(self) -> str:
        """All that was drawn until now: what a busy machine has not taken out of the terminal yet is waited for."""
        while self.read.is_set() and select.select([self.keys], [], [], 0.05)[0]:
            time.sleep(0.01)
        with self.lock:
            taken, self.drawn = bytes(self.drawn), bytearray()
        return taken.decode("utf-8", "replace")

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.device, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self) -> list[Any]:
        *flags, characters = termios.tcgetattr(self.device)
        return [*flags, [character.hex() if isinstance(character, bytes) else character for character in characters]]


class Shell:
    """The session's leader, in a process of its own: one job at a time."""

    def __init__(self, device: int) -> None:
        self.orders_in, orders = os.pipe()
        answers, self.answers_out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._lead(device)
            finally:
                os._exit(1)
        self.orders = os.fdopen(orders, "w")
        self.answers = os.fdopen(answers)

    def ask(self, order: dict[str, Any]) -> Any:
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()
        return json.loads(self.answers.readline())

    def _lead(self, device: int) -> None:
        os.setsid()
        fcntl.ioctl(device, termios.TIOCSCTTY, 0)
        # A leader that takes the terminal back is in the background at that moment.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        job = 0
        for line in os.fdopen(self.orders_in):
            order = json.loads(line)
            answer: object = None
            match order["do"]:
                case "start":
                    answer = job = _start(device, order["command"], order["folder"], order["environment"])
                case "continue":
                    os.tcsetpgrp(device, job)
                    os.killpg(job, signal.SIGCONT)
                case "wait":
                    answer = _wait(device, job)
            os.write(self.answers_out, (json.dumps(answer) + "\n").encode())


def _start(device: int, command: list[str], folder: str, environment: dict[str, str]) -> int:
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(device, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.chdir(folder)
        for stream in (0, 1, 2):
            os.dup2(device, stream)
        os.closerange(3, 256)
        os.execvpe(command[0], command, environment)
    return job


def _wait(device: int, job: int) -> dict[str, object]:
    """Until the job stops or ends; takes the terminal back."""
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(device, os.getpgrp())
    if os.WIFSTOPPED(status):
        return {"stopped": signal.Signals(os.WSTOPSIG(status)).name}
    if os.WIFSIGNALED(status):
        return {"signal": signal.Signals(os.WTERMSIG(status)).name}
    return {"exitCode": os.WEXITSTATUS(status)}


def main() -> None:
    terminal = Terminal()
    shell = Shell(terminal.device)
    for line in sys.stdin:
        order = json.loads(line)
        answer: object = None
        match order["do"]:
            case "resize":
                terminal.resize(order["rows"], order["columns"])
            case "type":
                os.write(terminal.keys, order["keys"].encode())
            case "read":
                terminal.read.set() if order["on"] else terminal.read.clear()
            case "drawn":
                answer = terminal.take_drawn()
            case "modes":
                answer = terminal.modes()
            case _:
                answer = shell.ask(order)
        print(json.dumps(answer), flush=True)
    os.kill(shell.pid, signal.SIGKILL)


main()
