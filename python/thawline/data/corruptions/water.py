"""How deep drops of water are, by their distance from edges: OpenCV's operations on 8-bit images, as CIFAR-C uses them.

OpenCV itself is not needed for this one corruption; its integer arithmetic is followed where it shows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thawline.data.corruptions.conventions import Images

Whole = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]

LOW_THRESHOLD, HIGH_THRESHOLD = 50, 150
TANGENT_22_DEGREES = 13573
"""tan(22.5 degrees) * 2^15, as whole numbers compare slopes."""

FARTHEST = 20
STRAIGHT, DIAGONAL, KNIGHT = 1.0, 1.4, 2.1969
"""Lengths of steps to a neighbour, a diagonal neighbour and a chess knight's move, in OpenCV's 5 x 5 distances."""

RELIEF = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])


def depth_of_water(liquid: Images) -> Floats:
    """Whole numbers 0..255 [n, height, width], for liquid uint8 [n, height, width]."""
    distance = np.minimum(_distance_to(canny_edges(liquid)), FARTHEST)
    # The box filter in OpenCV rounds to single precision before this cuts the fraction off.
    smoothed = _box_mean(distance).astype(np.float32).astype(np.uint8)
    equalized = equalize_histogram(smoothed).astype(np.float64)
    relief = np.clip(ndimage.correlate(equalized, RELIEF[None], mode="mirror"), 0, 255)
    return np.rint(_box_mean(relief)).astype(np.float32)


def _box_mean(images: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    mean: npt.NDArray[np.float64] = ndimage.correlate(images.astype(np.float64), np.ones((1, 3, 3)), mode="mirror") / 9
    return mean


def canny_edges(images: Images) -> npt.NDArray[np.bool_]:
    """OpenCV's detector (thresholds 50 and 150, 3 x 3 Sobel, |dx| + |dy|): bool [n, height, width]."""
    x, y = (_sobel(images, axis) for axis in (2, 1))
    magnitude = np.abs(x) + np.abs(y)
    thin = _is_local_maximum(x, y, magnitude)
    connects = np.zeros((3, 3, 3), bool)
    connects[1] = True  # neighbours within an image, none between images
    labels, num_groups = ndimage.label(thin & (magnitude > LOW_THRESHOLD), connects)
    kept = np.zeros(num_groups + 1, bool)
    kept[labels[thin & (magnitude > HIGH_THRESHOLD)]] = True
    edges: npt.NDArray[np.bool_] = kept[labels]
    return edges


def _sobel(images: Images, axis: int) -> Whole:
    difference = ndimage.correlate1d(images.astype(np.intp), [-1, 0, 1], axis=axis, mode="nearest")
    gradient: Whole = ndimage.correlate1d(difference, [1, 2, 1], axis=3 - axis, mode="nearest")
    return gradient


def _is_local_maximum(x: Whole, y: Whole, magnitude: Whole) -> npt.NDArray[np.bool_]:
    """Larger than one of its two neighbours along the gradient, and not smaller than the other."""
    height, width = magnitude.shape[1:]
    padded = np.pad(magnitude, ((0, 0), (1, 1), (1, 1)))

    def neighbour(dy: int, dx: int) -> Whole:
        return padded[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    below_22 = np.abs(x) * TANGENT_22_DEGREES
    below_67 = below_22 + (np.abs(x) << 16)
    rise = np.abs(y) << 15
    level = (magnitude > neighbour(0, -1)) & (magnitude >= neighbour(0, 1))
    steep = (magnitude > neighbour(-1, 0)) & (magnitude >= neighbour(1, 0))
    falling = (magnitude > neighbour(-1, -1)) & (magnitude > neighbour(1, 1))
    rising = (magnitude > neighbour(-1, 1)) & (magnitude > neighbour(1, -1))
    diagonal = np.where((x ^ y) < 0, rising, falling)
    return np.where(rise < below_22, level, np.where(rise > below_67, steep, diagonal))


def _distance_to(edges: npt.NDArray[np.bool_]) -> Floats:
    """Of each pixel to the nearest edge pixel of its image; infinite where there is none."""
    num_images, *sides = edges.shape
    table = _chamfer_distances(*sides)
    distance = np.full((num_images, table.shape[1]), np.inf, np.float32)
    for row, found in zip(distance, edges.reshape(num_images, -1), strict=True):
        if found.any():
            row[...] = table[found].min(axis=0)
    return distance.reshape(edges.shape)


@lru_cache(maxsize=1)
def _chamfer_distances(height: int, width: int) -> Floats:
    """Between all pairs of pixels [height * width, height * width], along straight, diagonal and knight's steps."""
    rows, columns = np.divmod(np.arange(height * width), width)
    across, down = (np.abs(np.subtract.outer(place, place)) for place in (columns, rows))
    longer, shorter = np.maximum(across, down), np.minimum(across, down)
    flat = KNIGHT * shorter + STRAIGHT * (longer - 2 * shorter)
    sloping = KNIGHT * (longer - shorter) + DIAGONAL * (2 * shorter - longer)
    return np.where(longer >= 2 * shorter, flat, sloping).astype(np.float32)


def equalize_histogram(images: Images) -> Images:
    """Each image's grey levels spread over 0..255 by their cumulative frequency; the lowest one becomes 0."""
    num_pixels = images[0].size if len(images) else 0
    equalized = np.empty_like(images)
    for result, image in zip(equalized, images, strict=True):
        counts = np.bincount(image.ravel(), minlength=256)
        lowest = int(image.min())
        others = num_pixels - counts[lowest]
        if others == 0:
            result[...] = lowest
            continue
        above = counts.cumsum() - counts[: lowest + 1].sum()
        result[...] = np.rint(np.maximum(above, 0) * (255 / others)).astype(np.uint8)[image]
    return equalized
