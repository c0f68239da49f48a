import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from thawline.storage.cache import default_cache_folder, load_or_make, replacing

PACKAGE = Path(__file__).parents[3] / "python"
DIES_WHILE_IT_WRITES = """
import sys
from pathlib import Path
from thawline.storage.cache import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
"""


def kept(path, value, made):
    return load_or_make(
        path,
        what="words",
        load=lambda place: place.read_text() if place.is_file() else None,
        make=lambda: made.append(value) or value,
        store=write,
    )


def write(path, text):
    with replacing(path) as temporary:
        temporary.write_text(text)


def test_what_is_there_is_not_made_again(tmp_path):
    made = []
    assert [kept(tmp_path / "deep" / "word", value, made) for value in ("first", "second")] == ["first", "first"]
    assert made == ["first"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["word"]


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="words are not cached"):
        assert kept(tmp_path / "file" / "word", "made", []) == "made"


def test_an_error_while_writing_leaves_what_was_there_and_nothing_else(tmp_path):
    write(tmp_path / "word", "before")
    with pytest.raises(TypeError):
        write(tmp_path / "word", b"no text")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"word": "before"}


def test_what_killed_processes_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    """The kernel takes the lock of a dead process away; no process id could be another's by now."""
    killed = subprocess.run(
        [sys.executable, "-c", DIES_WHILE_IT_WRITES, str(tmp_path / "word")],
        env=os.environ | {"THAWLINE_FAILPOINT": "cache.aside:1", "PYTHONPATH": str(PACKAGE)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert [path.name.rpartition(".")[0] for path in tmp_path.iterdir()] == [".word"]
    with replacing(tmp_path / "word") as first:
        assert list(tmp_path.iterdir()) == [first]
        write(tmp_path / "word", "second")
        first.write_text("first")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"word": "first"}


def test_the_default_folder_follows_the_environment(monkeypatch):
    monkeypatch.delenv("THAWLINE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_cache_folder() == Path("/home/someone/.cache/thawline")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert default_cache_folder() == Path("/var/cache/thawline")
    monkeypatch.setenv("THAWLINE_CACHE", "/scratch/mine")
    assert default_cache_folder() == Path("/scratch/mine")
