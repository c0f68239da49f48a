import math

import numpy as np
import pytest

from thawline.data.corruptions.noise import gaussian_noise, impulse_noise, shot_noise, speckle_noise


def constant(value: int, num_images: int = 1) -> np.ndarray:
    return np.full((num_images, 28, 28), value, np.uint8)


@pytest.mark.parametrize("grey", [0, 60, 128, 255])
def test_shot_noise_has_the_probabilities_of_a_clipped_poisson_variable(grey):
    # Evenly spread uniform numbers: shares equal probabilities up to 1/784.
    uniforms = ((np.arange(784) + 0.5) / 784)[None]
    noisy = shot_noise(constant(grey), uniforms, rate=3)
    rate = 3 * grey / 255
    expected = [math.exp(-rate) * rate**k / math.factorial(k) for k in range(3)]
    shares = [np.isclose(noisy, 85 * k).mean() for k in range(4)]
    np.testing.assert_allclose(shares, [*expected, 1 - sum(expected)], atol=2 / 784)


def test_black_pixels_have_no_shots():
    assert not shot_noise(constant(0), np.full((1, 784), 1 - 2**-53), rate=3).any()


@pytest.mark.parametrize(("uniform", "expected"), [(0.0, 0), (0.08, 0), (0.09, 255), (0.169, 255), (0.171, 100)])
def test_impulse_noise_is_half_pepper_and_half_salt(uniform, expected):
    np.testing.assert_array_equal(
        impulse_noise(constant(100), np.full((1, 784), uniform), share=0.17), constant(expected)
    )


@pytest.mark.parametrize("rate", [50, 500])
def test_shot_noise_has_the_mean_and_variance_of_the_poisson_law(rate):
    uniforms = ((np.arange(784) + 0.5) / 784)[None]
    noisy = shot_noise(constant(102), uniforms, rate=rate) / 255
    assert noisy.mean() == pytest.approx(0.4, abs=1e-3)
    assert noisy.var() == pytest.approx(0.4 / rate, rel=0.02)


def test_every_grey_level_is_looked_up_in_its_own_distribution():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for uniform, quantile in [(0.5, 0), (0.9, 1.28), (0.1, -1.28)]:
        noisy = shot_noise(levels, np.full((1, 256), uniform), rate=500)[0].ravel() / 255
        x = np.arange(256) / 255
        np.testing.assert_allclose(noisy[5:], np.minimum(x + quantile * np.sqrt(x / 500), 1)[5:], atol=1.5 / 500)


def test_gaussian_noise_adds_normal_numbers_and_is_cut_at_black_and_white():
    uniforms = np.full((1, 784), 0.9772499)  # two standard deviations
    np.testing.assert_allclose(gaussian_noise(constant(51), uniforms, std=0.1), 51 + 0.2 * 255, atol=1e-3)
    np.testing.assert_allclose(gaussian_noise(constant(250), uniforms, std=0.1), 255)
    assert (gaussian_noise(constant(0), np.zeros((1, 784)), std=0.1) == 0).all()


def test_speckle_noise_is_proportional_to_the_image():
    uniforms = np.full((1, 784), 0.9772499)
    np.testing.assert_allclose(speckle_noise(constant(100), uniforms, std=0.1), 100 * 1.2, atol=1e-3)
    assert not speckle_noise(constant(0), uniforms, std=0.1).any()
