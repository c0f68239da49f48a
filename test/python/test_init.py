"""What `import thawline` alone gives, in a fresh interpreter: in this one others have imported the rest already."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import thawline

PACKAGES = Path(thawline.__file__).parents[1]


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=PACKAGES, capture_output=True, text=True, check=True).stdout.strip()


def test_what_the_documents_name_is_found_after_a_bare_import() -> None:
    names = ["probes.ClassificationObjective", "probes.Prober", "integrations", "attach", "Probe", "TrainingStopped"]
    code = "; ".join(["import thawline", *(f"print(thawline.{name}.__name__)" for name in names)])
    found = [name.rpartition(".")[2] for name in run(code).splitlines()]
    assert found == [name.rpartition(".")[2] for name in names]


def test_what_is_not_there_is_said_as_python_says_it() -> None:
    with pytest.raises(AttributeError, match="module 'thawline' has no attribute 'nothing'"):
        _ = thawline.nothing
