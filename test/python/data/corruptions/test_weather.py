import numpy as np
import pytest

from thawline.data.corruptions.plasma import plasma_maps
from thawline.data.corruptions.weather import fog, spatter


@pytest.mark.parametrize("grey", [0, 51, 255])
def test_fog_on_a_constant_image_shows_the_plasma_map(grey):
    uniforms = np.random.default_rng(0).random((1, 256**2 - 1))
    x, plasma = grey / 255, plasma_maps(uniforms, 256, 1.4)[0, :28, :28]
    fogged = fog(np.full((1, 28, 28), grey, np.uint8), uniforms)[0]
    np.testing.assert_allclose(fogged / 255, (x + 3 * plasma) * x / (x + 3), atol=1e-12)


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
