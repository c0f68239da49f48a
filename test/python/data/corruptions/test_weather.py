import numpy as np
import pytest

from thawline.data.corruptions.plasma import plasma_maps
from thawline.data.corruptions.weather import fog, frost, snow


@pytest.mark.parametrize("grey", [0, 51, 255])
def test_fog_on_a_constant_image_shows_the_plasma_map(grey):
    uniforms = np.random.default_rng(0).random((1, 256**2 - 1))
    x, plasma = grey / 255, plasma_maps(uniforms, 256, 1.4)[0, :28, :28]
    fogged = fog(np.full((1, 28, 28), grey, np.uint8), uniforms, strength=3, decay=1.4, map_side=256)[0]
    np.testing.assert_allclose(fogged / 255, (x + 3 * plasma) * x / (x + 3), atol=1e-12)


def test_fog_on_colours_is_the_same_for_all_channels_and_keeps_the_largest_value_in_range():
    uniforms = np.random.default_rng(0).random((2, 32**2 - 1))
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[0] += np.array([10, 100, 200], np.uint8)
    images[1] = 255
    fogged = fog(images, uniforms, strength=0.5, decay=3, map_side=32) / 255
    plasma = plasma_maps(uniforms, 32, 3)[..., None]
    brightest = np.array([200, 255]).reshape(2, 1, 1, 1) / 255
    np.testing.assert_allclose(fogged, (images / 255 + 0.5 * plasma) * brightest / (brightest + 0.5))


SNOW = {"mean": 0.1, "std": 0.2, "factor": 1, "threshold": 0.6, "radius": 8, "sigma": 3, "kept": 0.95}


def test_without_flakes_snow_only_whitens():
    image = np.zeros((1, 32, 32, 3), np.uint8) + np.array([200, 100, 50], np.uint8)
    snowy = snow(image, np.full((1, 1025), 0.5), **SNOW)
    grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    whitened = np.maximum([200, 100, 50], grey * 1.5 + 127.5)
    np.testing.assert_allclose(snowy[0, 7, 9], 0.95 * np.array([200, 100, 50]) + 0.05 * whitened)


def test_a_flake_falls_twice_once_turned_by_180_degrees():
    uniforms = np.full((1, 1025), 0.5)  # the last one: straight down
    uniforms[0, 10 * 32 + 5] = 1 - 2**-53
    black = np.zeros((1, 32, 32, 3), np.uint8)
    flakes = snow(black, uniforms, **SNOW)[0, ..., 0] > snow(black, np.full((1, 1025), 0.5), **SNOW)[0, ..., 0]
    rows, columns = np.nonzero(flakes)
    assert set(columns) == {5, 26}
    assert rows[columns == 5].min() == 10
    assert rows[columns == 26].max() == 21


def test_frost_is_a_weighted_sum_with_a_cut_of_a_texture():
    textures = [np.full((40, 50, 3), 10, np.uint8), np.arange(40 * 50 * 3, dtype=np.uint16).reshape(40, 50, 3) % 251]
    textures[1] = textures[1].astype(np.uint8)
    image = np.full((1, 32, 32, 3), 100, np.uint8)
    uniforms = np.array([[0.7, 0.99, 0.5]])  # the second texture, row floor(0.99 * 8), column floor(0.5 * 18)
    frosted = frost(image, uniforms, textures=textures, image_weight=0.9, frost_weight=0.4)
    np.testing.assert_allclose(frosted[0], np.clip(90 + 0.4 * textures[1][7:39, 9:41], 0, 255))
    first = frost(image, np.zeros((1, 3)), textures=textures, image_weight=0.9, frost_weight=0.4)
    np.testing.assert_allclose(first, 94)
