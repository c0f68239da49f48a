"""Images sampled between their pixels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from thawline.data.corruptions.conventions import Pixels

Border = Literal["mirror", "reflect"]
"""What lies outside, by SciPy's names: `mirror` is d c b | a b c d, `reflect` is c b a | a b c d."""


def sample(pixels: Pixels, rows: Pixels, columns: Pixels, border: Border) -> Pixels:
    """Bilinear interpolation of images [n, height, width, C] at places [n, height, width] of their own."""
    num_images, height, width, channels = pixels.shape
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    flat = pixels.reshape(-1, channels)
    first_pixel = (np.arange(num_images) * (height * width))[:, None, None]

    def at(row: npt.NDArray[np.intp], column: npt.NDArray[np.intp]) -> Pixels:
        place = first_pixel + _fold(row, height, border) * width + _fold(column, width, border)
        values: Pixels = flat[place]
        return values

    upper = (1 - right) * at(top, left) + right * at(top, left + 1)
    lower = (1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)
    sampled: Pixels = (1 - down) * upper + down * lower
    return sampled


def _fold(index: npt.NDArray[np.intp], size: int, border: Border) -> npt.NDArray[np.intp]:
    """Any whole number to the pixel 0 .. size - 1 that lies there."""
    last = 2 * size - (2 if border == "mirror" else 1)
    period = last if border == "mirror" else last + 1
    within = index % period
    return np.minimum(within, last - within)
