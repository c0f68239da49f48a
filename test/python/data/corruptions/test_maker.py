"""The maker as it is started, but by this process and for one order."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thawline.data.corruptions.cache import cached_corruption, is_cached
from thawline.data.corruptions.maker import compose_order
from thawline.data.corruptions.recipe import Recipe, Source, make

PYTHON_FOLDER = Path(__file__).parents[4] / "python"
NUMBERS = np.random.default_rng(0)
PICTURES = Source(NUMBERS.integers(256, size=(3, 32, 32, 3), dtype=np.uint8))
FROSTED = Source(PICTURES.images, tuple(NUMBERS.integers(256, size=(2, 40, 50, 3), dtype=np.uint8)))


def carry_out(order: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "thawline.data.corruptions.maker"]
    return subprocess.run(command, input=order, capture_output=True, env=environment, check=False)


@pytest.mark.parametrize("source", [PICTURES, FROSTED])
def test_an_order_is_carried_out_with_a_line_for_each_set(tmp_path, source):
    corruption = "fog" if source.frost_textures is None else "frost"
    recipes = [Recipe("cifar_c", corruption, severity, 0) for severity in (1, 5)]
    done = carry_out(compose_order(recipes, source, tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\n\n", b"")
    for recipe in recipes:
        assert is_cached(recipe, source, tmp_path)
        np.testing.assert_array_equal(cached_corruption(recipe, source, tmp_path), make(recipe, source))


def test_an_order_cut_short_makes_nothing(tmp_path):
    order = compose_order([Recipe("cifar_c", "fog", 1, 0)], PICTURES, tmp_path)
    done = carry_out(order[:-1])
    assert done.returncode == 1
    assert not list(tmp_path.iterdir())


def test_torch_is_not_loaded():
    """It would take longer than many a set."""
    program = "import sys, thawline.data.corruptions.maker; print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER)}
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert said.stdout.strip() == "False"
