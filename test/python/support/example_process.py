"""How the tests start an example of the project as a process of its own."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]
# One thread: several tests run at once, and threads that wait for a core take it from the others.
ENVIRONMENT = {"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
