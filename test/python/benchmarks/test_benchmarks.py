import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run_benchmarks(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_part_that_needs_no_controller_runs(tmp_path):
    parts = ["train", "freed-memory", "sharpness-worst", "sharpness-avg", "fisher", "head-only"]
    report = tmp_path / "report.json"
    finished = run_benchmarks(*parts, "--quick", "--widths", "4", "--json", str(report))
    assert finished.returncode == 0, finished.stderr
    rows = json.loads(report.read_text())["rows"]
    assert {row["part"] for row in rows} == set(parts)
    assert all(row["ratio"]["median"] > 0 and row["target"] is None for row in rows)
    assert finished.stdout.count("no target") == len(rows)
    # The two sides are checked against each other, at whatever speed.
    assert finished.stdout.count("values agree") == 2


def test_an_unknown_part_is_refused_with_those_there_are():
    finished = run_benchmarks("fischer")
    assert finished.returncode == 2
    assert "there is no part 'fischer'; choose from train, freed-memory," in finished.stderr
