"""The golden vectors of src/statistics are what SciPy gives today."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

GENERATOR = Path(__file__).resolve().parents[2] / "vectors" / "statistics" / "generate.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("statistics_vectors", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vectors_are_those_of_scipy(generator: ModuleType) -> None:
    written = json.loads(generator.VECTORS.read_text())
    today = generator.vectors()
    assert written.keys() == today.keys()
    for subject, cases in today.items():
        assert len(cases) == len(written[subject])
        for case, known in zip(cases, written[subject], strict=True):
            assert_alike(known, case, subject)


def assert_alike(known: Any, today: Any, place: str) -> None:
    """The same but for the last digits, which other builds of SciPy round otherwise."""
    if isinstance(today, dict):
        assert known.keys() == today.keys()
        for key, value in today.items():
            assert_alike(known[key], value, f"{place}.{key}")
    elif isinstance(today, list):
        assert len(known) == len(today)
        for index, value in enumerate(today):
            assert_alike(known[index], value, f"{place}[{index}]")
    elif isinstance(today, float):
        assert known == pytest.approx(today, rel=1e-9, abs=1e-15), place
    else:
        assert known == today, place
