import numpy as np

from thawline.data.corruptions.compression import jpeg_compression, pixelate

NO_UNIFORMS = np.empty((1, 0))
NOISE = np.random.default_rng(0).integers(256, size=(2, 32, 32, 3), dtype=np.uint8)


def test_pixelate_to_half_the_side_makes_blocks_of_their_mean():
    pixels = pixelate(NOISE, NO_UNIFORMS, side=16)
    blocks = NOISE.reshape(2, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(pixels[:, ::2, ::2], blocks, atol=1)  # rounded across, then down
    np.testing.assert_array_equal(pixels[:, ::2, ::2], pixels[:, 1::2, 1::2])


def test_pixelate_and_jpeg_keep_a_constant_image():
    grey = np.full((1, 32, 32, 3), 128, np.uint8)
    np.testing.assert_array_equal(pixelate(grey, NO_UNIFORMS, side=27), 128)
    np.testing.assert_array_equal(jpeg_compression(grey, NO_UNIFORMS, quality=40), 128)


def test_a_lower_quality_is_farther_from_the_image():
    errors = [np.abs(jpeg_compression(NOISE, NO_UNIFORMS, quality=q) - NOISE).mean() for q in (80, 65, 58, 50, 40)]
    assert errors == sorted(errors)
    assert errors[0] > 0
