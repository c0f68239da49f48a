"""Who may import whom on the Python side (test/import-table.json), and what stays light."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "thawline"
TABLE = json.loads((ROOT / "test" / "import-table.json").read_text())["python"]
SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """`probes` for `probes/fisher.py`, `worker` for `worker.py`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(source: str) -> Iterator[str]:
    """Rooms that `source` imports from, also in functions and for types alone; imports are absolute (ruff TID252)."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            deeper = node.module != "thawline"
            names = [node.module] if deeper else [f"thawline.{alias.name}" for alias in node.names]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "thawline" and rest:
                yield rest.split(".")[0]


def test_every_room_has_its_place_in_the_table() -> None:
    assert {room_of(path) for path in SOURCES} == {*TABLE["folders"], *TABLE["open"], *TABLE["top"]}


@pytest.mark.parametrize("room", [*TABLE["folders"], *TABLE["open"]])
def test_imports_follow_the_table(room: str) -> None:
    allowed = {room, *TABLE["open"], *TABLE["folders"].get(room, [])}
    forbidden = [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in SOURCES
        if room_of(path) == room
        for other in rooms_imported(path.read_text())
        if other not in allowed
    ]
    assert forbidden == []


def test_the_table_has_no_circle() -> None:
    rooms = dict(TABLE["folders"])
    while rooms:
        free = [room for room, others in rooms.items() if not set(others) & set(rooms)]
        assert free, f"a circle among {', '.join(rooms)}"
        for room in free:
            del rooms[room]


def test_imports_are_understood_in_all_their_forms() -> None:
    source = "import thawline.wire.link\nfrom thawline import host\nfrom thawline.probes.scope import x\nimport torch"
    assert list(rooms_imported(source)) == ["wire", "host", "probes"]


def test_files_are_short_enough_to_read() -> None:
    assert [path.name for path in SOURCES if len(path.read_text().splitlines()) > 300] == []


def test_every_package_says_what_it_is_for() -> None:
    packages = [path for path in SOURCES if path.name == "__init__.py"]
    assert [str(path) for path in packages if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_importing_the_package_is_light() -> None:
    code = "import sys, thawline; print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "[]"
