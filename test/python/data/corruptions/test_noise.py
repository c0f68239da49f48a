import math

import numpy as np
import pytest

from thawline.data.corruptions.noise import impulse_noise, shot_noise


def constant(value: int, num_images: int = 1) -> np.ndarray:
    return np.full((num_images, 28, 28), value, np.uint8)


@pytest.mark.parametrize("grey", [0, 60, 128, 255])
def test_shot_noise_has_the_probabilities_of_a_clipped_poisson_variable(grey):
    # Evenly spread uniform numbers: shares equal probabilities up to 1/784.
    uniforms = ((np.arange(784) + 0.5) / 784)[None]
    noisy = shot_noise(constant(grey), uniforms)
    rate = 3 * grey / 255
    expected = [math.exp(-rate) * rate**k / math.factorial(k) for k in range(3)]
    shares = [np.isclose(noisy, 85 * k).mean() for k in range(4)]
    np.testing.assert_allclose(shares, [*expected, 1 - sum(expected)], atol=2 / 784)


def test_black_pixels_have_no_shots():
    assert not shot_noise(constant(0), np.full((1, 784), 1 - 2**-53)).any()


@pytest.mark.parametrize(("uniform", "expected"), [(0.0, 0), (0.08, 0), (0.09, 255), (0.169, 255), (0.171, 100)])
def test_impulse_noise_is_half_pepper_and_half_salt(uniform, expected):
    np.testing.assert_array_equal(impulse_noise(constant(100), np.full((1, 784), uniform)), constant(expected))
