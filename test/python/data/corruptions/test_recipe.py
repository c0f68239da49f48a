from dataclasses import replace

import numpy as np
import pytest

from thawline.data.corruptions import cifar_c, mnist_c
from thawline.data.corruptions.recipe import Recipe, Source, describe, make

NUMBERS = np.random.default_rng(0)
PICTURES = NUMBERS.integers(256, size=(2, 32, 32, 3), dtype=np.uint8)
TEXTURES = tuple(NUMBERS.integers(256, size=(2, 40, 40, 3), dtype=np.uint8))
FROST = Recipe("cifar_c", "frost", 3, 7)


def test_a_recipe_is_made_by_its_benchmark(digits):
    rotated = make(Recipe("mnist_c", "rotate", None, 7), Source(digits))
    np.testing.assert_array_equal(rotated, mnist_c.corrupt(digits, "rotate", 7))
    frosted = make(FROST, Source(PICTURES, TEXTURES))
    np.testing.assert_array_equal(frosted, cifar_c.corrupt(PICTURES, "frost", 3, 7, TEXTURES))


@pytest.mark.parametrize(
    ("recipe", "source"),
    [
        (replace(FROST, corruption="snow"), Source(PICTURES, TEXTURES)),
        (replace(FROST, severity=4), Source(PICTURES, TEXTURES)),
        (replace(FROST, seed=8), Source(PICTURES, TEXTURES)),
        (FROST, Source(PICTURES[:1], TEXTURES)),
        (FROST, Source(255 - PICTURES, TEXTURES)),
        (FROST, Source(PICTURES, TEXTURES[:1])),
    ],
)
def test_whatever_changes_the_pixels_changes_the_description(recipe, source):
    assert describe(recipe, source) != describe(FROST, Source(PICTURES, TEXTURES))


def test_textures_concern_frost_alone():
    fog = replace(FROST, corruption="fog")
    assert describe(fog, Source(PICTURES, TEXTURES)) == describe(fog, Source(PICTURES))


def test_a_raised_version_makes_other_descriptions(monkeypatch, digits):
    recipe = Recipe("mnist_c", "rotate", None, 7)
    before = describe(recipe, Source(digits))
    assert "severity" not in before
    monkeypatch.setattr(mnist_c, "PARAMETERS_VERSION", mnist_c.PARAMETERS_VERSION + 1)
    assert describe(recipe, Source(digits)) != before
