"""Real processes: whatever ends the controller, its worker and the worker's children are gone soon after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTHON_FOLDER = Path(__file__).parents[3] / "python"
GONE_WITHIN_SECONDS = 5.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

WAIT = "while True: time.sleep(1)"
PREAMBLE = """
import os, signal, subprocess, sys, time
from thawline.host.process import bind_life_to_controller, bind_life_to_parent
def ready():
    os.write(1, b"ready %d\\n" % os.getpid())  # One write: two processes share the pipe.
"""

# A controller that starts `worker` in a process group of its own, holding its lifeline. argv: the worker's program.
CONTROLLER = """
import os, subprocess, sys, time
reader, writer = os.pipe()
os.dup2(reader, 3)
subprocess.Popen(
    [sys.executable, "-c", sys.argv[1], str(os.getpid())],
    start_new_session=True, pass_fds=[3], env={**os.environ, "THAWLINE_LIFELINE_FD": "3"},
)
while True: time.sleep(1)
"""

WORKER = f"{PREAMBLE}\nbind_life_to_controller(int(sys.argv[1]))\nready()\n{WAIT}"

# Death of the parent alone does not reach it: only the lifeline does.
WORKER_BEHIND_A_WRAPPER = f"""
import os, subprocess, sys, time
program = {PREAMBLE + "bind_life_to_controller(int(sys.argv[1]))" + chr(10) + "ready()" + chr(10) + WAIT!r}
sys.exit(subprocess.call([sys.executable, "-c", program, sys.argv[1]], pass_fds=[3]))
"""

WORKER_WITH_A_STUBBORN_CHILD = f"""{PREAMBLE}
bind_life_to_controller(int(sys.argv[1]))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready()
else:
    ready()
{WAIT}
"""


# Holds the interpreter lock for longer than the test waits, so no thread of its own can act. Its parent lives on.
WORKER_IN_A_NATIVE_CALL = f"""{PREAMBLE}
import ctypes
if os.fork() == 0:
    bind_life_to_controller(int(sys.argv[1]))
    ready()
    ctypes.PyDLL(None).sleep(1000)
{WAIT}
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def start(processes: list[subprocess.Popen[str]], *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER)}
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    processes.append(process)
    return process


def ready_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline().split()[1])


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


@pytest.mark.parametrize(
    ("worker", "children"),
    [(WORKER, 1), (WORKER_BEHIND_A_WRAPPER, 1), (WORKER_WITH_A_STUBBORN_CHILD, 2), (WORKER_IN_A_NATIVE_CALL, 1)],
)
def test_nothing_outlives_a_killed_controller(started: list[subprocess.Popen[str]], worker: str, children: int) -> None:
    controller = start(started, CONTROLLER, worker)
    pids = [ready_pid(controller) for _ in range(children)]
    time.sleep(0.2)
    assert all(map(is_alive, pids))

    controller.send_signal(signal.SIGKILL)
    controller.wait()
    assert all(map(wait_until_gone, pids))


def test_a_worker_whose_controller_is_gone_already_ends_itself(started: list[subprocess.Popen[str]]) -> None:
    gone = start(started, "")
    gone.wait()
    worker = start(started, WORKER, str(gone.pid))
    assert worker.wait(10) == -signal.SIGKILL


def test_a_number_that_is_no_pipe_is_not_taken_for_the_lifeline(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    program = f"""{PREAMBLE}
descriptor = os.open({str(tmp_path / "file")!r}, os.O_RDONLY)
os.environ["THAWLINE_LIFELINE_FD"] = str(descriptor)
bind_life_to_controller(os.getppid())
time.sleep(0.3)
print("lives", "THAWLINE_LIFELINE_FD" in os.environ)
"""
    worker = start(started, program)
    assert worker.communicate()[0] == "lives False\n"


def test_a_loader_ends_with_its_worker(started: list[subprocess.Popen[str]]) -> None:
    program = f"""{PREAMBLE}
worker = os.getpid()
if os.fork() == 0:
    bind_life_to_parent(worker)
    ready()
{WAIT}
"""
    worker = start(started, program)
    loader = ready_pid(worker)
    assert is_alive(loader)
    worker.send_signal(signal.SIGKILL)
    assert wait_until_gone(loader)


def test_a_loader_whose_worker_is_gone_already_ends_itself(started: list[subprocess.Popen[str]]) -> None:
    loader = start(started, f"{PREAMBLE}\nbind_life_to_parent(os.getppid() + 1)\n{WAIT}")
    assert loader.wait(10) == -signal.SIGKILL
