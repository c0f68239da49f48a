"""Glass blur: blurred, pixels disturbed, blurred again. Form: see conventions.py.

The official code of both benchmarks is one function with two accidents, and the published images were made with them.
On MNIST's 2-D grey images the blur takes the last axis for colour channels and runs along the rows axis only. On
CIFAR's colour images the swap of two pixels goes through views of the array and comes to a copy of one to the other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thawline.data.corruptions.blur import smooth
from thawline.data.corruptions.conventions import Images, Pixels, Uniforms


def num_disturbances(side: int, passes: int) -> int:
    """How many pixels are disturbed in all: as many uniform numbers are needed."""
    return passes * len(_visited(side)) ** 2


def glass_blur_grey(images: Images, uniforms: Uniforms, *, sigma: float, passes: int) -> Pixels:
    """MNIST-C: pixels trade places, each with probability 1/2; one uniform number per possible swap."""
    blurred = np.floor(_smooth_rows(images / 255, sigma) * 255)
    # One number decides all: three fair bits of it are the coin, dy and dx.
    bits = np.floor(uniforms.T * 8).astype(np.intp)
    distance = (bits & 1) * ((bits >> 1 & 1) * images.shape[2] + (bits >> 2))
    swapped = _disturb(blurred, distance, passes, both_ways=True)
    return np.clip(_smooth_rows(swapped / 255, sigma), 0, 1) * 255


def glass_blur_colour(images: Images, uniforms: Uniforms, *, sigma: float, passes: int) -> Pixels:
    """CIFAR-C: each pixel takes the colour of a neighbour or keeps its own; one uniform number per visited pixel."""
    blurred = np.floor(smooth(images / 255, sigma) * 255)
    bits = np.floor(uniforms.T * 4).astype(np.intp)  # two fair bits: dy and dx
    copied = _disturb(blurred, (bits >> 1) * images.shape[2] + (bits & 1), passes, both_ways=False)
    return np.clip(smooth(copied / 255, sigma), 0, 1) * 255


def _smooth_rows(pixels: Pixels, sigma: float) -> Pixels:
    smoothed: Pixels = ndimage.gaussian_filter1d(pixels, sigma, axis=1, mode="nearest", truncate=4)
    return smoothed


def _visited(side: int) -> range:
    """Rows, and columns in each of them: from the lower right, without a margin for offsets of one pixel."""
    return range(side - 1, 1, -1)


def _disturb(images: Pixels, distance: npt.NDArray[np.intp], passes: int, *, both_ways: bool) -> Pixels:
    """Each visited pixel takes the value of the one `distance` [visit, n] before it, and if `both_ways` gives its own.

    What a pixel takes depends on the visits before, so the pixels go one after the other and all images together.
    """
    num_images, height, width, *channels = images.shape
    by_pixel = np.ascontiguousarray(np.moveaxis(images.reshape(num_images, height * width, *channels), 0, 1))
    image_numbers = np.arange(num_images)
    pixels = [row * width + column for row in _visited(height) for column in _visited(width)]
    for visit, pixel in enumerate(pixels * passes):
        partners = pixel - distance[visit]
        own = by_pixel[pixel].copy()
        by_pixel[pixel] = by_pixel[partners, image_numbers]
        if both_ways:
            by_pixel[partners, image_numbers] = own
    return np.moveaxis(by_pixel, 0, 1).reshape(images.shape)
