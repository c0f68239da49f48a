"""MNIST-C canny edges: scikit-image's detector with its defaults, for a stack. Signature: see conventions.py."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

Mask = npt.NDArray[np.bool_]

SIGMA = 1
LOW_THRESHOLD = 0.1
HIGH_THRESHOLD = 0.2


def canny_edges(images: Images, uniforms: Uniforms) -> Pixels:
    """255 on edges, 0 elsewhere; no randomness. The outermost pixels are never edges.

    Gaussian, Sobel, thinning to maxima across the edge, then hysteresis (Canny, IEEE PAMI 8, 1986).
    """
    # Divided by the blur of ones: what lies outside the image counts as missing, not as black.
    smoothed = _blur(images / 255) / _blur(np.ones((1, *images.shape[1:])))
    gradient_y, gradient_x = _sobel(smoothed, axis=1), _sobel(smoothed, axis=2)
    magnitude = np.hypot(gradient_y, gradient_x)
    thin = _is_local_maximum(gradient_y, gradient_x, magnitude)
    edges = _hysteresis(thin & (magnitude >= LOW_THRESHOLD), thin & (magnitude >= HIGH_THRESHOLD))
    return np.where(edges, 255.0, 0.0)


def _blur(images: Pixels) -> Pixels:
    blurred: Pixels = ndimage.gaussian_filter(images, (0, SIGMA, SIGMA), mode="constant", truncate=4)
    return blurred


def _sobel(images: Pixels, axis: int) -> Pixels:
    """`scipy.ndimage.sobel` for each image: given the stack, that would smooth from image to image as well."""
    difference = ndimage.correlate1d(images, [-1, 0, 1], axis=axis)
    gradient: Pixels = ndimage.correlate1d(difference, [1, 2, 1], axis=3 - axis)
    return gradient


def _is_local_maximum(gradient_y: Pixels, gradient_x: Pixels, magnitude: Pixels) -> Mask:
    """Where the magnitude is not exceeded one pixel ahead and one pixel back along the gradient.

    The gradient points between one of the four straight and one of the four diagonal neighbours; the magnitude there
    is interpolated between the two.
    """
    height, width = magnitude.shape[1:]
    interior = (slice(None), slice(1, -1), slice(1, -1))
    y, x, centre = gradient_y[interior], gradient_x[interior], magnitude[interior]

    def neighbour(dy: int, dx: int) -> Pixels:
        return magnitude[:, 1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]

    steep = np.abs(y) >= np.abs(x)
    falling = y * x > 0  # the gradient points to the lower right or to the upper left
    larger = np.where(steep, np.abs(y), np.abs(x))
    diagonal_weight = np.where(steep, np.abs(x), np.abs(y)) / np.where(larger > 0, larger, 1)

    maximum = np.zeros(magnitude.shape, bool)
    ahead_and_back = np.ones(centre.shape, bool)
    for side in (1, -1):
        straight = np.where(steep, neighbour(side, 0), neighbour(0, side))
        # `side` follows y where the gradient is steep and x elsewhere; the diagonal must lie on the same side.
        rising_diagonal = np.where(steep, neighbour(side, -side), neighbour(-side, side))
        diagonal = np.where(falling, neighbour(side, side), rising_diagonal)
        ahead_and_back &= diagonal * diagonal_weight + straight * (1 - diagonal_weight) <= centre
    maximum[interior] = ahead_and_back & (centre > 0)
    return maximum


def _hysteresis(weak: Mask, strong: Mask) -> Mask:
    """The 8-connected groups of weak edge pixels that hold a strong one, image by image."""
    connects = np.zeros((3, 3, 3), bool)
    connects[1] = True  # neighbours within an image, none between images
    labels, num_groups = ndimage.label(weak, connects)
    kept = np.zeros(num_groups + 1, bool)
    kept[labels[strong]] = True
    edges: Mask = kept[labels]
    return edges
