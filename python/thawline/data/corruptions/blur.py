"""MNIST-C glass blur and motion blur (severity 1). Signature: see conventions.py."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

GLASS_SIGMA = 0.7
GLASS_PASSES = 2
GLASS_ROWS_AND_COLUMNS = range(27, 1, -1)
GLASS_NUM_SWAPS = GLASS_PASSES * len(GLASS_ROWS_AND_COLUMNS) ** 2

MOTION_RADIUS = 10
MOTION_SIGMA = 3
MOTION_MAX_DEGREES = 45


def glass_blur(images: Images, uniforms: Uniforms) -> Pixels:
    """Blur, floor to 8 bits, swap pixels with neighbours (two passes), blur; one uniform number per possible swap.

    Both blurs run along the rows axis only: the official code gives a 2-D grey image to a function that takes the last
    axis for colour channels, and the published archive was made that way.
    """
    blurred = np.floor(_blur_rows(images / 255) * 255)
    return np.clip(_blur_rows(_swap_neighbours(blurred, uniforms) / 255), 0, 1) * 255


def _blur_rows(images: Pixels) -> Pixels:
    blurred: Pixels = ndimage.gaussian_filter1d(images, GLASS_SIGMA, axis=1, mode="nearest", truncate=4)
    return blurred


def _swap_neighbours(images: Pixels, uniforms: Uniforms) -> Pixels:
    """From the lower right, each pixel changes places with the one (dy, dx) in {-1, 0}^2 away, with probability 1/2.

    Swaps depend on earlier swaps, so the pixels go one after the other and all images together: one row per pixel.
    """
    num_images, height, width = images.shape
    by_pixel = images.reshape(num_images, -1).T.copy()
    flat = by_pixel.reshape(-1)
    # One number decides all: three fair bits of it are the coin, dy and dx.
    bits = np.floor(uniforms.T * 8).astype(np.intp)
    distance = (bits & 1) * ((bits >> 1 & 1) * width + (bits >> 2))
    image_numbers = np.arange(num_images)
    pixels = [row * width + column for row in GLASS_ROWS_AND_COLUMNS for column in GLASS_ROWS_AND_COLUMNS]
    for step, pixel in enumerate(pixels * GLASS_PASSES):
        partners = (pixel - distance[step]) * num_images + image_numbers
        own = by_pixel[pixel].copy()
        by_pixel[pixel] = flat[partners]
        flat[partners] = own
    return by_pixel.T.reshape(num_images, height, width)


def motion_blur(images: Images, uniforms: Uniforms) -> Pixels:
    """A one-sided Gaussian streak at an angle of U(-45, 45) degrees, as ImageMagick draws it; one uniform number.

    out(x, y) = sum_i w_i in(x + ceil(i cos - 1/2), y + ceil(i sin - 1/2)), w_i ~ exp(-i^2 / (2 sigma^2)), i = 0..20.
    Pixels outside repeat the edge.
    """
    steps = np.arange(2 * MOTION_RADIUS + 1)
    weights = np.exp(-(steps**2) / (2 * MOTION_SIGMA**2))
    weights /= weights.sum()
    angles = np.deg2rad(MOTION_MAX_DEGREES * (2 * uniforms[:, :1] - 1))
    offsets_x = np.ceil(steps * np.cos(angles) - 0.5).astype(np.intp)
    offsets_y = np.ceil(steps * np.sin(angles) - 0.5).astype(np.intp)
    margin = 2 * MOTION_RADIUS
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    shifted = sliding_window_view(padded, images.shape[1:], axis=(1, 2))  # [n, y + margin, x + margin, 28, 28]
    image_numbers = np.arange(len(images))
    blurred = np.zeros(images.shape)
    for i, weight in enumerate(weights):
        blurred += weight * shifted[image_numbers, margin + offsets_y[:, i], margin + offsets_x[:, i]]
    return blurred
