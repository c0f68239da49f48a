"""A cache of the Hub as its client lays it out, made by hand, and a checkpoint that brings code of its own."""

import json
import shutil
from pathlib import Path

import pytest

REVISION, OTHER_REVISION = "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089", "0123456789abcdef0123456789abcdef01234567"

CODE = """
from pathlib import Path
Path({marker!r}).touch()
raise ImportError("code of a checkpoint was run")
"""


def put_into_cache(folder: Path, cache: Path, model: str, revision: str) -> None:
    """`folder` as the model's files at that commit."""
    shutil.copytree(folder, cache / f"models--{model.replace('/', '--')}" / "snapshots" / revision)


def be_offline(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """As HF_HUB_OFFLINE=1 and HF_HUB_CACHE, which are read when the client is imported."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))


def bring_code(folder: Path, file: str, classes: dict[str, object]) -> Path:
    """Names classes in the checkpoint's own code; what is returned exists once that code was run."""
    marker = folder.parent / "code-was-run"
    (folder / "own_code.py").write_text(CODE.format(marker=str(marker)))
    content = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**content, "auto_map": classes}))
    return marker
