import numpy as np

from thawline.data.corruptions.intensity import brightness, stripe
from thawline.data.corruptions.mnist_c import corrupt

NO_UNIFORMS = np.empty((1, 0))
ALL_GREYS = np.resize(np.arange(256, dtype=np.uint8), (1, 28, 28))


def test_brightness_adds_half_of_the_range_up_to_white():
    np.testing.assert_allclose(brightness(ALL_GREYS, NO_UNIFORMS) / 255, np.minimum(ALL_GREYS / 255 + 0.5, 1))


def test_halves_are_rounded_to_even():
    # 127.5, 128.5, 129.5 and 130.5 before rounding
    assert corrupt(ALL_GREYS, "brightness", seed=0)[0, 0, :4].tolist() == [128, 128, 130, 130]


def test_stripe_inverts_seven_columns_at_either_edge():
    striped = stripe(ALL_GREYS, NO_UNIFORMS)
    np.testing.assert_array_equal(striped[..., 7:21], ALL_GREYS[..., 7:21])
    np.testing.assert_array_equal(striped[..., :7], 255.0 - ALL_GREYS[..., :7])
    np.testing.assert_array_equal(striped[..., 21:], 255.0 - ALL_GREYS[..., 21:])


def test_stripe_twice_is_the_identity():
    np.testing.assert_array_equal(corrupt(corrupt(ALL_GREYS, "stripe", seed=0), "stripe", seed=1), ALL_GREYS)
