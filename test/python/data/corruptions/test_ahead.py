"""Sets made in processes of their own, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from thawline.data.corruptions import ahead
from thawline.data.corruptions.ahead import make_ahead
from thawline.data.corruptions.cache import cached_corruption, is_cached
from thawline.data.corruptions.recipe import Recipe, Source, make
from thawline.interruption import Interrupted

PYTHON_FOLDER = Path(__file__).parents[4] / "python"
RECIPES = [
    Recipe("cifar_c", "frost", 2, 0),
    Recipe("cifar_c", "impulse_noise", 1, 0),
    Recipe("cifar_c", "impulse_noise", 2, 0),
    Recipe("cifar_c", "elastic_transform", 3, 0),
    Recipe("cifar_c", "zoom_blur", 4, 0),
]


@pytest.fixture(scope="module")
def source() -> Source:
    numbers = np.random.default_rng(0)
    images = numbers.integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
    return Source(images, tuple(numbers.integers(256, size=(2, 40, 50, 3), dtype=np.uint8)))


@pytest.fixture
def worth_it(monkeypatch):
    """As if these few images took as long as many."""
    monkeypatch.setattr(ahead, "STARTING_IMAGES", 1)


def run(source, folder, num_processes, should_stop=lambda: False, recipes=RECIPES):
    settings = {"cache_folder": folder, "num_processes": num_processes, "should_stop": should_stop}
    return list(make_ahead(recipes, source, **settings))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.usefixtures("worth_it")
def test_several_processes_make_bit_for_bit_what_one_makes(tmp_path, source):
    assert run(source, tmp_path / "serial", 1)[-1] == (5, 5)
    progress = run(source, tmp_path / "parallel", 2)
    assert progress[0] == (0, 5)
    assert progress[-1] == (5, 5)
    assert sorted(progress) == progress
    assert contents(tmp_path / "serial") == contents(tmp_path / "parallel")
    for recipe in RECIPES:
        assert is_cached(recipe, source, tmp_path / "parallel")
        cached = cached_corruption(recipe, source, tmp_path / "parallel")
        np.testing.assert_array_equal(cached, make(recipe, source))


def test_what_the_cache_has_is_not_made_again(tmp_path, source):
    run(source, tmp_path, 1, recipes=RECIPES[:2])
    written = {path: path.stat().st_ino for path in tmp_path.rglob("*.npy")}
    assert run(source, tmp_path, 1)[0] == (0, 3)
    assert all(path.stat().st_ino == inode for path, inode in written.items())
    assert run(source, tmp_path, 2) == [(0, 0)]


@pytest.mark.usefixtures("worth_it")
def test_a_stop_leaves_no_process_behind(tmp_path, source):
    with pytest.raises(Interrupted):
        run(source, tmp_path, 2, should_stop=lambda: True)
    children = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    assert "corruptions.maker" not in children.stdout
    with pytest.raises(Interrupted):
        run(source, tmp_path, 1, should_stop=lambda: True)


@pytest.mark.usefixtures("worth_it")
def test_a_folder_that_cannot_be_written_needs_no_processes(tmp_path, source):
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()
    with pytest.warns(UserWarning, match="not cached"):
        assert run(source, not_a_folder, 2)[-1] == (5, 5)


@pytest.mark.usefixtures("worth_it")
def test_sets_of_a_process_that_fails_are_left_for_later(tmp_path, source, capfd):
    unknown = Recipe("cifar_c", "sandstorm", 1, 0)
    progress = run(source, tmp_path, 2, recipes=[unknown, RECIPES[1], RECIPES[3], RECIPES[4]])
    # The first process dies of its first set; the second makes its two.
    assert progress[-1] == (2, 4)
    assert "KeyError: 'sandstorm'" in capfd.readouterr().err
    assert not is_cached(RECIPES[3], source, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_makers_end_with_the_process_that_started_them(tmp_path):
    program = f"""
import numpy as np
from pathlib import Path
from thawline.data.corruptions import ahead
from thawline.data.corruptions.recipe import Recipe, Source
images = np.zeros((20000, 32, 32, 3), np.uint8)
recipes = [Recipe("cifar_c", "elastic_transform", severity, 0) for severity in (1, 2, 3, 4)]
with ahead._makers([ahead.compose_order(recipes, Source(images), Path({str(tmp_path)!r}))]) as makers:
    print(makers[0].pid, flush=True)
    makers[0].wait()
"""
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        maker = int(parent.stdout.readline())
        assert is_running(maker)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while is_running(maker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(maker)
