"""What a long journal costs: its replay, the first frame of its view, a list of runs, and the reducer at a boundary."""

from __future__ import annotations

import math
import os
import pty
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row, Target
from benchmarks.settings import BenchmarkSettings
from benchmarks.timing import Spread

PART = "long-runs"
ROOT = Path(__file__).parents[1]
CLI = ["node", str(ROOT / "dist" / "cli.js")]

# Records; about half of them are boundaries with a point.
SIZES = (10_000, 50_000, 200_000)
QUICK_SIZES = (1000, 2000)
LISTED_RUNS = 500


@dataclass(frozen=True)
class Cost:
    """Of one command until its end or first frame: processor seconds, seconds, peak memory in MB where it was asked."""

    cpu: float
    wall: float
    megabytes: float | None


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """Needs a built controller. Ratios are exponents: 1 is linear in records."""
    if not (ROOT / "dist" / "cli.js").exists():
        raise SystemExit("error: the part `long-runs` runs dist/cli.js, which is not built\n\nhint: npm run build")
    sizes = QUICK_SIZES if settings.quick else SIZES
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("decided", "open", "rising"):
            runs = {records: _journal(Path(folder) / f"{kind}-{records}", records, kind) for records in sizes}
            replays = {records: replay_cost(run) for records, run in runs.items()}
            yield _row(f"replay, {kind}", {records: cost.cpu for records, cost in replays.items()}, replays)
            frames = {records: first_frame_cost(run) for records, run in runs.items()}
            yield _row(f"first frame of watch, {kind}", {records: cost.cpu for records, cost in frames.items()}, frames)
            boundary = _boundary_seconds(kind, sizes[-1])
            yield Row(
                PART,
                f"reducing a boundary, {kind}: its share of 0.3 ms",
                Spread.of([boundary / 0.0003]),
                Target(at_most=1),
                {"a boundary": Spread.of([boundary])},
                {"records": sizes[-1]},
            )
        listed = list_cost(Path(folder), number := 10 if settings.quick else LISTED_RUNS)
        seconds = Spread.of([listed.cpu])
        what = f"list of {number} finished runs, in units of 2 s"
        yield Row(PART, what, Spread.of([listed.cpu / 2]), Target(at_most=1), {"list": seconds}, {"runs": number})


def _row(what: str, seconds: dict[int, float], costs: dict[int, Cost]) -> Row:
    (few, first), *_, (many, last) = seconds.items()
    exponent = math.log(last / first) / math.log(many / few)
    sides = {f"{records} records": Spread.of([one]) for records, one in seconds.items()}
    notes = [f"{records} records: {_described(cost)}" for records, cost in costs.items()]
    # Below 1 while starting the program still counts.
    return Row(PART, f"{what}: exponent", Spread.of([exponent]), Target(at_most=1.1), sides, {"records": many}, notes)


def _described(cost: Cost) -> str:
    memory = "" if cost.megabytes is None else f", {cost.megabytes:.0f} MB"
    return f"{cost.cpu:.2f} s CPU, {cost.wall:.2f} s{memory}"


def _journal(folder: Path, records: int, kind: str) -> Path:
    points = round(records * 0.49)
    command = ["node", "benchmarks/long_journal.mjs", str(folder), str(points), kind]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


def _boundary_seconds(kind: str, records: int) -> float:
    command = ["node", "benchmarks/long_journal.mjs", "--boundary", str(round(records * 0.49)), kind]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def replay_cost(run: Path) -> Cost:
    return _cost_of([*CLI, "replay", str(run)])


def list_cost(folder: Path, count: int) -> Cost:
    """Of listing `count` copies of a short finished run."""
    first = folder / "listed" / "run-0"
    command = ["node", "benchmarks/long_journal.mjs", str(first), "490", "decided", "--results"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for number in range(1, count):
        shutil.copytree(first, folder / "listed" / f"run-{number}")
    return _cost_of([*CLI, "list", str(folder / "listed")])


def _cost_of(command: list[str]) -> Cost:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"error: `{' '.join(command)}` failed")
    return Cost(_cpu(usage), time.perf_counter() - began, None)


def first_frame_cost(run: Path) -> Cost:
    """Until the view shows that its run has finished."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "120", "LINES": "40"}
        os.execvpe("node", [*CLI, "watch", str(run)], {**environment, "CI": "false"})
    shown = b""
    while b"FINISHED" not in shown:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 1 << 16)
    wall = time.perf_counter() - began
    megabytes = _peak_megabytes(pid)
    os.kill(pid, signal.SIGTERM)
    _drain(terminal)
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    return Cost(_cpu(usage), wall, megabytes)


def _peak_megabytes(pid: int) -> float | None:
    """From Linux: what `wait4` says begins with the memory of the process that was forked, which is this one."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def _drain(terminal: int) -> None:
    """Nothing may wait for a terminal that is not read."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:
        return


def _cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime
