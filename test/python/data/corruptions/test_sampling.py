import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from thawline.data.corruptions.sampling import sample

IMAGES = np.random.default_rng(0).random((2, 6, 8, 3))


@given(st.integers(0, 2**32 - 1), st.sampled_from(["mirror", "reflect"]))
def test_sampling_is_scipys_linear_interpolation_also_far_outside(seed, border):
    places = np.random.default_rng(seed).uniform(-30, 30, size=(2, 2, 5, 7))
    rows, columns = places
    sampled = sample(IMAGES, rows, columns, border)
    for image in range(2):
        for channel in range(3):
            plane = IMAGES[image, ..., channel]
            expected = ndimage.map_coordinates(plane, [rows[image], columns[image]], order=1, mode=border)
            np.testing.assert_allclose(sampled[image, ..., channel], expected, atol=1e-9)


@pytest.mark.parametrize("border", ["mirror", "reflect"])
def test_at_its_pixels_an_image_is_itself(border):
    rows, columns = (np.broadcast_to(place, (2, 6, 8)).astype(float) for place in np.mgrid[:6, :8])
    np.testing.assert_array_equal(sample(IMAGES, rows, columns, border), IMAGES)
