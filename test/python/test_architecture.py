"""Who may import whom on the Python side: the science knows no protocol, and `import thawline` stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "python" / "thawline"
SCIENCE = ["probes", "blocks", "freezing", "data", "models", "evaluation"]
OTHER_SIDE = {"protocol", "codec", "channel", "session", "worker", "integrations"}


def imported_modules(source: str, package: str) -> Iterator[str]:
    """Absolute names of everything that `source`, a module in `package`, imports, also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def files_of(name: str) -> list[Path]:
    folder = PACKAGE / name
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@pytest.mark.parametrize("name", SCIENCE)
def test_science_knows_no_protocol_and_no_session(name: str) -> None:
    for path in files_of(name):
        package = ".".join(["thawline", *path.relative_to(PACKAGE).parent.parts])
        for module in imported_modules(path.read_text(), package):
            parts = module.split(".")
            is_ours = parts[0] == "thawline" and len(parts) > 1
            assert not (is_ours and parts[1] in OTHER_SIDE), f"{path.relative_to(PACKAGE)} imports {module}"


def test_relative_imports_are_understood() -> None:
    source = "from .. import channel\nfrom ..protocol import hello\nfrom . import fisher\nimport thawline.session"
    modules = set(imported_modules(source, "thawline.probes"))
    assert {"thawline.channel", "thawline.protocol", "thawline.probes.fisher", "thawline.session"} <= modules


def test_importing_the_package_is_light() -> None:
    code = "import sys, thawline; print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "[]"
