"""Motion blur (MNIST-C, CIFAR-C) as ImageMagick draws it. Form: see conventions.py."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

MAX_DEGREES = 45


def motion_blur(images: Images, uniforms: Uniforms, *, radius: int, sigma: float) -> Pixels:
    """A streak at an angle of U(-45, 45) degrees; one uniform number. Whole numbers: ImageMagick rounds to 8 bits."""
    degrees = MAX_DEGREES * (2 * uniforms[:, 0] - 1)
    return np.rint(streak(images.astype(np.float64), degrees, radius=radius, sigma=sigma))


def streak(pixels: Pixels, degrees: npt.NDArray[np.float64], *, radius: int, sigma: float) -> Pixels:
    """A one-sided Gaussian streak at an angle of its own for each image.

    out(x, y) = sum_i w_i in(x + ceil(i cos - 1/2), y + ceil(i sin - 1/2)), w_i ~ exp(-i^2 / (2 sigma^2)),
    i = 0 .. 2 radius. Pixels outside repeat the edge.
    """
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    angles = np.deg2rad(degrees)[:, None]
    offsets_x = np.ceil(steps * np.cos(angles) - 0.5).astype(np.intp)
    offsets_y = np.ceil(steps * np.sin(angles) - 0.5).astype(np.intp)
    margin = 2 * radius
    padding = [(0, 0), (margin, margin), (margin, margin), (0, 0)]
    padded = np.pad(pixels, padding[: pixels.ndim], mode="edge")
    windows = sliding_window_view(padded, pixels.shape[1:3], axis=(1, 2))
    shifted = np.moveaxis(windows, (-2, -1), (3, 4))  # [n, y + margin, x + margin, height, width, ...]
    image_numbers = np.arange(len(pixels))
    blurred = np.zeros(pixels.shape)
    for i, weight in enumerate(weights):
        blurred += weight * shifted[image_numbers, margin + offsets_y[:, i], margin + offsets_x[:, i]]
    return blurred
