"""What a report costs: `thawline report` on 60 runs of 2,000 records, as a ratio to reading their journals alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, Target
from benchmarks.settings import BenchmarkSettings
from benchmarks.timing import Spread

PART = "report"
ROOT = Path(__file__).parents[1]
CLI = ROOT / "dist" / "cli.js"
RUNS, RECORDS = 60, 2000
QUICK_RUNS, QUICK_RECORDS = 4, 200

# What reading alone is: every record with its checksum and its shape, as whoever relies on a journal has to.
READ = """
import { dirname } from "node:path";
import { scanJournal } from "./dist/journal/reader.js";
let records = 0;
for (const path of process.argv.slice(1)) await scanJournal(dirname(path), (more) => { records += more.length; });
console.log(records);
"""
# Less than that: each line as JSON, whatever its checksum.
PARSE = """
import { readFileSync } from "node:fs";
let records = 0;
for (const path of process.argv.slice(1))
  for (const line of readFileSync(path, "utf8").split("\\n"))
    if (line !== "") { JSON.parse(line.slice(line.indexOf("{"))); records += 1; }
console.log(records);
"""


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """Needs a built controller. Processor seconds; the sides take turns."""
    if not CLI.exists():
        raise SystemExit("error: the part `report` runs dist/cli.js, which is not built\n\nhint: npm run build")
    runs, records = (QUICK_RUNS, QUICK_RECORDS) if settings.quick else (RUNS, RECORDS)
    with tempfile.TemporaryDirectory() as folder:
        journals = _runs(Path(folder) / "runs", runs, records)
        read, parse = (["node", "--input-type=module", "-e", code, *map(str, journals)] for code in (READ, PARSE))
        all_files = ["node", str(CLI), "report", str(Path(folder) / "runs"), "--out", str(Path(folder) / "report")]
        page = [*all_files, "--no-figures"]
        costs: dict[str, list[float]] = {"page": [], "reading": [], "JSON alone": [], "with all files": []}
        megabytes = 0.0
        for _ in range(1 if settings.quick else settings.rounds or 3):
            for side, command in zip(costs, (page, read, parse, all_files), strict=True):
                seconds, peak = _cost(command)
                costs[side].append(seconds)
                megabytes = max(megabytes, peak)
        sizes: dict[str, int | str] = {"runs": runs, "records": records}
        sides = {side: Spread.of(seconds) for side, seconds in costs.items()}
        notes = [f"peak memory {megabytes:.0f} MB"]
        for other in ("reading", "JSON alone"):
            what = f"page of all runs, to {other}"
            yield Row(PART, what, _ratio(costs, other), Target(at_most=3), dict(sides), dict(sizes), notes)


def _ratio(costs: dict[str, list[float]], other: str) -> Spread:
    return Spread.of([page / cost for page, cost in zip(costs["page"], costs[other], strict=True)])


def _runs(folder: Path, runs: int, records: int) -> list[Path]:
    first = folder / "run-0"
    command = ["node", "benchmarks/long_journal.mjs", str(first), str(round(records * 0.49)), "decided", "--results"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for number in range(1, runs):
        shutil.copytree(first, folder / f"run-{number}")
    return [folder / f"run-{number}" / "journal" for number in range(runs)]


def _cost(command: list[str]) -> tuple[float, float]:
    """Processor seconds and peak memory in MB of a command, until its end."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"error: `{' '.join(command[:4])}` failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
