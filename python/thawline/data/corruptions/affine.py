"""MNIST-C shear (severity 2), scale, rotate (2) and translate (3). Signature: see conventions.py.

All four sample the image at A (x, y, 1) for each output pixel (x = column, y = row): A maps output to input, so
`scale` with a factor above 1 shrinks the digit, and `translate` moves it against (dx, dy).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

Matrix = npt.NDArray[np.float64]

SHEAR_RADIANS = 0.4
SCALE_FACTOR = 1 / 0.7
ROTATE_RADIANS = 0.4
TRANSLATE_PIXELS = 3
CENTRE = 13.5


def shear(images: Images, uniforms: Uniforms) -> Pixels:
    """Shear by +0.4 or -0.4 radians, by a fair coin; one uniform number.

    The archive of 2019 has the matrix [[1, -sin s], [0, cos s]]; scikit-image changed it in version 0.21.
    """
    matrices = [_centred([[1, -math.sin(s)], [0, math.cos(s)]]) for s in (-SHEAR_RADIANS, SHEAR_RADIANS)]
    return _warp_chosen(images, matrices, _coins(uniforms)[:, 0])


def scale(images: Images, uniforms: Uniforms) -> Pixels:
    """Shrink to 70 %; no randomness."""
    return _warp(images, _centred([[SCALE_FACTOR, 0], [0, SCALE_FACTOR]]))


def rotate(images: Images, uniforms: Uniforms) -> Pixels:
    """Rotate by +0.4 or -0.4 radians, by a fair coin; one uniform number."""
    matrices = [
        _centred([[math.cos(phi), -math.sin(phi)], [math.sin(phi), math.cos(phi)]])
        for phi in (-ROTATE_RADIANS, ROTATE_RADIANS)
    ]
    return _warp_chosen(images, matrices, _coins(uniforms)[:, 0])


def translate(images: Images, uniforms: Uniforms) -> Pixels:
    """Sample at (x + dx, y + dy), dx and dy each +3 or -3; two uniform numbers, for dx and dy: below 1/2 means -3."""
    shifts = (-TRANSLATE_PIXELS, TRANSLATE_PIXELS)
    matrices = [np.array([[1.0, 0, dx], [0, 1.0, dy]]) for dx in shifts for dy in shifts]
    coins = _coins(uniforms)
    return _warp_chosen(images, matrices, 2 * coins[:, 0] + coins[:, 1])


def _coins(uniforms: Uniforms) -> npt.NDArray[np.intp]:
    return (uniforms >= 0.5).astype(np.intp)


def _centred(linear: list[list[float]]) -> Matrix:
    """The 2 x 3 matrix with this linear part that leaves the image's centre where it is."""
    rows = np.array(linear)
    return np.column_stack([rows, CENTRE * (1 - rows.sum(axis=1))])


def _warp_chosen(images: Images, matrices: list[Matrix], choice: npt.NDArray[np.intp]) -> Pixels:
    warped = np.empty(images.shape)
    for number, matrix in enumerate(matrices):
        chosen = choice == number
        warped[chosen] = _warp(images[chosen], matrix)
    return warped


def _warp(images: Images, matrix: Matrix) -> Pixels:
    """Bilinear interpolation at A (x, y, 1), zeros outside the image."""
    height, width = images.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    source_x, source_y = (a * columns + b * rows + t for a, b, t in matrix)
    left, top = np.floor(source_x).astype(np.intp), np.floor(source_y).astype(np.intp)
    weight_right, weight_bottom = source_x - left, source_y - top
    # The zeros outside as one border: anything farther out is clipped onto it.
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float64)

    def neighbours(y: npt.NDArray[np.intp], x: npt.NDArray[np.intp]) -> Pixels:
        return padded[:, np.clip(y + 1, 0, height + 1), np.clip(x + 1, 0, width + 1)]

    upper = (1 - weight_right) * neighbours(top, left) + weight_right * neighbours(top, left + 1)
    lower = (1 - weight_right) * neighbours(top + 1, left) + weight_right * neighbours(top + 1, left + 1)
    warped: Pixels = (1 - weight_bottom) * upper + weight_bottom * lower
    return warped
