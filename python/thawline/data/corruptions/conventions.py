"""The form that all corruption functions share: `(images, uniforms, *, settings) -> pixels`.

A corruption is a pure function of the images and of uniform random numbers, a fixed count per image. So image i of a
batch depends on its own numbers only, any chunk of images can be computed alone, and a test can choose the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Images = npt.NDArray[np.uint8]
"""Grey images [n, height, width] or colour images [n, height, width, 3] (red, green, blue)."""

Uniforms = npt.NDArray[np.float64]
"""Numbers [n, k] in [0, 1); k is the corruption's own."""

Pixels = npt.NDArray[np.float64]
"""The corrupted images, shaped like the images, in 0..255 before they become whole numbers; may exceed the range."""


class Corruption(NamedTuple):
    """A corruption function with its settings bound, and how many uniform numbers it takes for an image."""

    apply: Callable[[Images, Uniforms], Pixels]
    num_uniforms: int


def normals(uniforms: Uniforms) -> Uniforms:
    """Standard normal numbers, by inversion."""
    # The floor keeps a uniform number of exactly 0 from becoming minus infinity.
    drawn: Uniforms = special.ndtri(np.maximum(uniforms, 2.0**-54))
    return drawn


def by_image(values: npt.NDArray[np.float64], images: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """One value per image [n], shaped so that it is broadcast over the pixels of `images`."""
    shaped: npt.NDArray[np.float64] = values.reshape(-1, *[1] * (images.ndim - 1))
    return shaped
