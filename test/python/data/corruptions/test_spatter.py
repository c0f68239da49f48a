import numpy as np
import pytest

from thawline.data.corruptions.mnist_c import mud
from thawline.data.corruptions.spatter import mud_spatter, water_spatter


def spatter(images: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """As MNIST-C has it."""
    return mud(images, uniforms)


def test_no_spatter_where_the_noise_is_low_and_all_mud_where_it_is_high():
    digit = np.resize(np.arange(256, dtype=np.uint8), (1, 28, 28))
    np.testing.assert_array_equal(spatter(digit, np.full((1, 784), 0.4)), digit)
    np.testing.assert_array_equal(spatter(digit, np.zeros((1, 784))), digit)
    np.testing.assert_allclose(spatter(digit, np.full((1, 784), 0.6)), 63)


def test_a_drop_has_a_sharp_edge_and_nearly_covers_what_is_below():
    uniforms = np.full((28, 28), 0.01)
    uniforms[8:20, 8:20] = 0.99
    spattered = spatter(np.full((1, 28, 28), 255, np.uint8), uniforms.reshape(1, 784))[0]
    assert (spattered[:6] == 255).all()
    assert spattered[12:16, 12:16] == pytest.approx(63, abs=1)
    # Masks below 0.8 are cut off, so no pixel is between 255 and 0.2 * 255 + 0.8 * 63.
    assert not ((spattered > 0.2 * 255 + 0.8 * 63) & (spattered < 255)).any()


WATER = {"mean": 0.65, "std": 0.1, "liquid_sigma": 0.8, "threshold": 0.7, "strength": 0.5}


def test_mud_has_its_colour():
    settings = {"mean": 0.65, "std": 0.1, "liquid_sigma": 0.7, "threshold": 0.69, "mask_sigma": 0.6}
    image = np.full((1, 32, 32, 3), 200, np.uint8)
    muddy = mud_spatter(image, np.full((1, 1024), 0.9), **settings, colour=(63, 42, 20))
    np.testing.assert_allclose(muddy, np.broadcast_to([63, 42, 20], muddy.shape))
    np.testing.assert_array_equal(mud_spatter(image, np.full((1, 1024), 0.3), **settings, colour=(63, 42, 20)), 200)


def test_without_drops_water_leaves_the_image_as_it_is():
    image = np.random.default_rng(0).integers(256, size=(1, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(water_spatter(image, np.full((1, 1024), 0.5), **WATER), image)


def test_water_is_pale_turquoise_light_and_as_strong_as_said_where_it_is_deepest():
    uniforms = np.random.default_rng(0).random((3, 1024))
    light = water_spatter(np.zeros((3, 32, 32, 3), np.uint8), uniforms, **WATER)
    np.testing.assert_allclose(light.reshape(3, -1).max(axis=1), 0.5 * 238)
    np.testing.assert_allclose(light[..., 0] * 238, light[..., 1] * 175)
    np.testing.assert_array_equal(light[..., 1], light[..., 2])
    assert 0 < (light > 0).mean() < 0.5


def test_water_is_where_the_noise_is_high():
    uniforms = np.full((32, 32), 0.2)
    uniforms[10:20, 10:20] = 0.99
    light = water_spatter(np.zeros((1, 32, 32, 3), np.uint8), uniforms.reshape(1, 1024), **WATER)[0, ..., 0]
    rows, columns = np.nonzero(light)
    assert 8 <= rows.min() <= rows.max() <= 21
    assert 8 <= columns.min() <= columns.max() <= 21
