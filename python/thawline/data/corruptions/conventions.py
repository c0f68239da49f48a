"""The signature that all MNIST-C corruption functions share: `(images, uniforms) -> pixels`.

A corruption is a pure function of the images and of uniform random numbers, a fixed count per image. So image i of a
batch depends on its own numbers only, any chunk of images can be computed alone, and a test can choose the numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
"""Grey images [n, 28, 28], 0 is background."""

Uniforms = npt.NDArray[np.float64]
"""Numbers [n, k] in [0, 1); k is the corruption's own."""

Pixels = npt.NDArray[np.float64]
"""The corrupted images [n, 28, 28], in 0..255 before rounding to 8 bits."""
