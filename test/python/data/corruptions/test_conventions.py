import numpy as np
import pytest

from thawline.data.corruptions.conventions import by_image, normals


def test_normals_are_the_quantiles_of_the_normal_law():
    drawn = normals(np.array([[0.5, 0.8413447460685429, 0.15865525393145707, 0.9772498680518208]]))
    np.testing.assert_allclose(drawn, [[0, 1, -1, 2]], atol=1e-9)


def test_normals_are_finite_at_either_end_of_the_uniform_numbers():
    lowest, highest = normals(np.array([[0.0, 1 - 2.0**-53]]))[0]
    assert -9 < lowest < -8
    assert 8 < highest < 9


@pytest.mark.parametrize("shape", [(2, 28, 28), (2, 32, 32, 3)])
def test_a_value_for_each_image_is_spread_over_its_pixels(shape):
    images = np.ones(shape, np.uint8)
    spread = by_image(np.array([3.0, 5.0]), images) * images
    assert spread.shape == shape
    assert (spread[0] == 3).all()
    assert (spread[1] == 5).all()
