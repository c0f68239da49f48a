import colorsys

import numpy as np
import pytest

from thawline.data.corruptions.colour import brightness, contrast, saturate

NO_UNIFORMS = np.empty((1, 0))
COLOURS = np.random.default_rng(0).integers(256, size=(1, 8, 8, 3), dtype=np.uint8)
GREYS = np.array([0, 51, 128, 255], np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)


def through_hsv(images, change):
    """By the standard library, colour by colour."""
    changed = [colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*(colour / 255)))) for colour in images.reshape(-1, 3)]
    return np.array(changed).reshape(images.shape) * 255


@pytest.mark.parametrize("images", [COLOURS, GREYS])
@pytest.mark.parametrize("increase", [0.05, 0.3])
def test_brightness_raises_the_value_of_hsv(images, increase):
    expected = through_hsv(images, lambda h, s, v: (h, s, min(v + increase, 1)))
    np.testing.assert_allclose(brightness(images, NO_UNIFORMS, increase=increase), expected, atol=1e-9)


@pytest.mark.parametrize("images", [COLOURS, GREYS])
@pytest.mark.parametrize(("factor", "increase"), [(0.3, 0), (1.5, 0), (2.5, 0.2)])
def test_saturate_changes_the_saturation_of_hsv_and_reddens_grey(images, factor, increase):
    expected = through_hsv(images, lambda h, s, v: (h, min(s * factor + increase, 1), v))
    saturated = saturate(images, NO_UNIFORMS, factor=factor, increase=increase)
    np.testing.assert_allclose(saturated, expected, atol=1e-9)


def test_white_stays_exactly_white():
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    assert (brightness(white, NO_UNIFORMS, increase=0.3) == 255).all()


def test_contrast_shrinks_towards_the_mean_of_each_channel_and_keeps_it():
    image = COLOURS // 2 + 60
    flat = contrast(image, NO_UNIFORMS, factor=0.4)
    mean = image.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(flat.mean(axis=(1, 2), keepdims=True), mean)
    np.testing.assert_allclose(flat - mean, 0.4 * (image - mean))
