"""Blurs of CIFAR-C without randomness: Gaussian, defocus, zoom. Form: see conventions.py."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

DEFOCUS_REACH = 8


def smooth(pixels: Pixels, sigma: float) -> Pixels:
    """Gaussian blur of each image and channel, cut at 4 sigma; pixels outside repeat the edge (scikit-image's way)."""
    sigmas = (0, sigma, sigma, 0)[: pixels.ndim]
    smoothed: Pixels = ndimage.gaussian_filter(pixels, sigmas, mode="nearest", truncate=4)
    return smoothed


def gaussian_blur(images: Images, uniforms: Uniforms, *, sigma: float) -> Pixels:
    return smooth(images / 255, sigma) * 255


def defocus_blur(images: Images, uniforms: Uniforms, *, radius: float, alias_sigma: float) -> Pixels:
    """The mean over a disk with a soft edge; images are mirrored at their outermost pixels."""
    kernel = defocus_kernel(radius, alias_sigma)
    blurred: Pixels = ndimage.correlate(images / 255, kernel[None, :, :, None], mode="mirror")
    return blurred * 255


def defocus_kernel(radius: float, alias_sigma: float) -> Pixels:
    """A normalised disk of pixels within `radius`, blurred by a 3 x 3 Gaussian: [17, 17], sum 1."""
    distance = np.arange(-DEFOCUS_REACH, DEFOCUS_REACH + 1)
    disk = (np.add.outer(distance**2, distance**2) <= radius**2).astype(np.float64)
    edge = np.exp(-(np.array([-1.0, 0, 1]) ** 2) / (2 * alias_sigma**2))
    kernel = ndimage.correlate(disk / disk.sum(), np.outer(edge, edge) / edge.sum() ** 2)
    # Single precision, as the official code has it: what a weight lacks decides whether 255 is cut off to 254.
    single: Pixels = kernel.astype(np.float32).astype(np.float64)
    return single


def zoom_blur(images: Images, uniforms: Uniforms, *, end: float) -> Pixels:
    """The mean of the image and of its zooms by 1, 1.01, ... up to (in floating point about) `end`."""
    channels = np.moveaxis(images / 255, 3, 1)
    factors = np.arange(1, end, 0.01)
    total = channels.copy()
    for factor in factors:
        total += zoom(channels, float(factor))
    blurred: Pixels = np.moveaxis(total, 1, 3) / (len(factors) + 1)
    return blurred * 255


def zoom(pixels: Pixels, factor: float) -> Pixels:
    """The middle of square images [..., side, side], enlarged by `factor` to fill them, with linear interpolation."""
    matrix = _zoom_matrix(pixels.shape[-1], factor)
    zoomed: Pixels = matrix @ pixels @ matrix.T
    return zoomed


@lru_cache
def _zoom_matrix(side: int, factor: float) -> npt.NDArray[np.float64]:
    """[side, side]: crop, interpolation and trimming along one axis, all of them linear in the pixels."""
    cropped = int(np.ceil(side / factor))
    top = (side - cropped) // 2
    enlarged = ndimage.zoom(np.eye(side)[top : top + cropped], (factor, 1), order=1)
    trim = (len(enlarged) - side) // 2
    matrix: npt.NDArray[np.float64] = enlarged[trim : trim + side]
    return matrix
