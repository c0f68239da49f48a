"""What a report costs: `thawline report` on 60 runs of 2,000 records, as a ratio to parsing their journals."""

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

# What parsing alone is: each line of each journal, as JSON, in a program that has started already.
PARSE = """
const { readFileSync } = require("node:fs");
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
        reading = ["node", "-e", PARSE, *map(str, journals)]
        reporting = ["node", str(CLI), "report", str(Path(folder) / "runs"), "--out", str(Path(folder) / "report")]
        asking = [*reporting, "--no-figures"]
        parsed, paged, drawn, megabytes = [], [], [], 0.0
        for _ in range(1 if settings.quick else settings.rounds or 3):
            parsed.append(_cost(reading)[0])
            seconds, peak = _cost(asking)
            paged.append(seconds)
            drawn.append(_cost(reporting)[0])
            megabytes = max(megabytes, peak)
        sizes = {"runs": runs, "records": records}
        notes = [f"peak memory {megabytes:.0f} MB"]
        ratios = [page / parse for page, parse in zip(paged, parsed, strict=True)]
        sides = {"page": Spread.of(paged), "parsing": Spread.of(parsed), "with all files": Spread.of(drawn)}
        yield Row(PART, "page of all runs", Spread.of(ratios), Target(at_most=3), sides, sizes, notes)


def _runs(folder: Path, runs: int, records: int) -> list[Path]:
    first = folder / "run-0"
    command = ["node", "benchmarks/long_journal.mjs", str(first), str(round(records * 0.49)), "decided", "--results"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for number in range(1, runs):
        shutil.copytree(first, folder / f"run-{number}")
    return [folder / f"run-{number}" / "journal" for number in range(runs)]


def _cost(command: list[str]) -> tuple[float, float]:
    """Processor seconds and peak memory in MB of a command, until its end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"error: `{' '.join(command[:4])}` failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
