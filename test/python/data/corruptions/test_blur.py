import numpy as np
import pytest
from scipy import ndimage

from thawline.data.corruptions.blur import defocus_blur, defocus_kernel, gaussian_blur, zoom, zoom_blur

NO_UNIFORMS = np.empty((1, 0))
NOISE = np.random.default_rng(0).integers(256, size=(2, 32, 32, 3), dtype=np.uint8)
CONSTANT = np.full((1, 32, 32, 3), 90, np.uint8)


@pytest.mark.parametrize("sigma", [0.4, 1])
def test_gaussian_blur_mixes_pixels_and_not_channels_or_images(sigma):
    blurred = gaussian_blur(NOISE, NO_UNIFORMS, sigma=sigma)
    for image in range(2):
        for channel in range(3):
            plane = NOISE[image, ..., channel].astype(float)
            expected = ndimage.gaussian_filter(plane, sigma, mode="nearest", truncate=4)
            np.testing.assert_allclose(blurred[image, ..., channel], expected)


@pytest.mark.parametrize(("radius", "alias_sigma"), [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)])
def test_a_defocus_kernel_is_a_symmetric_mean(radius, alias_sigma):
    kernel = defocus_kernel(radius, alias_sigma)
    assert kernel.shape == (17, 17)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_array_equal(kernel, kernel[::-1])


def test_the_disk_of_defocus_grows_from_a_pixel_to_a_cross_and_a_square():
    assert [(defocus_kernel(radius, 0.1) > 1e-6).sum() for radius in (0.5, 1, 1.5)] == [1, 5, 9]


def test_defocus_blur_mirrors_the_image_at_its_outermost_pixels():
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, :, 1] = 255
    blurred = defocus_blur(image, NO_UNIFORMS, radius=1.5, alias_sigma=0.1)[0]
    # Left of column 0 lies column 1 again: two of three columns are lit there, one of three in column 1.
    np.testing.assert_allclose(blurred[:, 0], 255 * 2 / 3, rtol=1e-4)
    np.testing.assert_allclose(blurred[:, 1], 255 / 3, rtol=1e-4)


def test_blurs_keep_a_constant_image():
    for blurred in (
        gaussian_blur(CONSTANT, NO_UNIFORMS, sigma=1),
        defocus_blur(CONSTANT, NO_UNIFORMS, radius=1, alias_sigma=0.2),
        zoom_blur(CONSTANT, NO_UNIFORMS, end=1.26),
    ):
        np.testing.assert_allclose(blurred, 90, rtol=1e-6)


@pytest.mark.parametrize("factor", [1.0, 1.06, 1.25, 1.75, 2.25])
def test_zoom_is_scipys_zoom_of_the_middle(factor):
    plane = NOISE[0, ..., 0].astype(float)
    cropped = int(np.ceil(32 / factor))
    top = (32 - cropped) // 2
    enlarged = ndimage.zoom(plane[top : top + cropped, top : top + cropped], factor, order=1)
    trim = (len(enlarged) - 32) // 2
    np.testing.assert_allclose(zoom(plane, factor), enlarged[trim : trim + 32, trim : trim + 32])


@pytest.mark.parametrize(("end", "num_zooms"), [(1.06, 7), (1.11, 12), (1.16, 16), (1.21, 21), (1.26, 26)])
def test_zoom_blur_is_the_mean_of_the_image_and_its_zooms(end, num_zooms):
    planes = np.moveaxis(NOISE.astype(float), 3, 1)
    zooms = [zoom(planes, factor) for factor in np.arange(1, end, 0.01)]
    assert len(zooms) == num_zooms
    expected = np.moveaxis((planes + sum(zooms)) / (num_zooms + 1), 1, 3)
    np.testing.assert_allclose(zoom_blur(NOISE, NO_UNIFORMS, end=end), expected)
