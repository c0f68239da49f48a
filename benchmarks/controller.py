"""What the controller costs in a run: a shortened quickstart, from its own results.json and journal."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, Target
from benchmarks.settings import BenchmarkSettings
from benchmarks.timing import Spread

PART = "controller"
ROOT = Path(__file__).parents[1]
TARGET = Target(at_most=0.005)
WIDTH = 8


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """Needs a built controller."""
    if not (ROOT / "dist" / "cli.js").exists():
        raise SystemExit("error: the part `controller` runs dist/cli.js, which is not built\n\nhint: npm run build")
    updates = 60 if settings.quick else 400
    with tempfile.TemporaryDirectory() as folder:
        run_folder = Path(folder) / "run"
        options = [f"train.updates={updates}", "evaluate.ood=none", f"device.threads={settings.threads}"]
        command = ["node", "dist/cli.js", "run", "quickstart", *options, "--headless", "--run-dir", str(run_folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        results = json.loads((run_folder / "results.json").read_text())
        lines = (run_folder / "journal").read_bytes().splitlines(keepends=True)
    wait, wall = results["controller_wait_seconds"], results["wall_seconds"]
    yield Row(
        PART,
        "waiting for grants, of the wall time of a shortened quickstart",
        Spread.of([wait / wall]),
        TARGET,
        {"waiting for grants": Spread.of([wait]), "wall time": Spread.of([wall])},
        {"width": WIDTH, "updates": updates, "threads": settings.threads},
        [f"{wait / results['train_seconds']:.2%} of the seconds of training alone", journal_note(lines)],
    )


def journal_note(lines: list[bytes]) -> str:
    """What the records between two boundaries weigh; a record is a checksum of nine characters, and JSON."""
    types = [json.loads(line[9:])["event"]["type"] for line in lines]
    boundaries = types.count("worker/reachedBoundary")
    first = types.index("worker/reachedBoundary")
    last = len(types) - 1 - types[::-1].index("worker/reachedBoundary")
    between = range(first, last)
    size = sum(len(lines[index]) for index in between) / (boundaries - 1)
    messages = sum(types[index].startswith("worker/") for index in between) / (boundaries - 1)
    return f"{boundaries} boundaries; {size:.0f} journal bytes and {messages:.2f} worker messages per boundary"
