"""The contact sheet, by the script."""

import runpy
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[3]


def test_a_sheet_shows_every_image_under_every_corruption(tmp_path, monkeypatch):
    numbers = np.random.default_rng(0)
    for split, name, i in [("train", "cat", 0), *(("test", "cat", i) for i in range(6))]:
        path = tmp_path / split / name / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numbers.integers(256, size=(32, 32, 3), dtype=np.uint8)).save(path)
    sheet = tmp_path / "sheet.png"
    script = str(ROOT / "scripts/corruption-sheet.py")
    monkeypatch.setattr(sys, "argv", [script, "cifar_c", str(tmp_path), str(sheet)])
    runpy.run_path(script, run_name="__main__")
    with Image.open(sheet) as drawn:
        pixels = np.asarray(drawn.convert("RGB"))
        # Clean and 18 corruptions (19 with frost) in two columns: ten rows of 68 pixels and a margin.
        assert drawn.height == 10 * 68 + 4
    with Image.open(tmp_path / "test/cat/0.png") as first:
        np.testing.assert_array_equal(pixels[4 : 4 + 64 : 2, 116 : 116 + 64 : 2], np.asarray(first))
