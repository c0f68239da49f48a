"""Plasma maps: fractal clouds by the diamond-square algorithm on a torus."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

START_AMPLITUDE = 100


def plasma_maps(uniforms: npt.NDArray[np.float64], side: int, decay: float) -> npt.NDArray[np.float64]:
    """Maps [n, side, side] in [0, 1] from uniform numbers [n, side^2 - 1] in [0, 1); `side` is a power of two.

    From the corner on, each level fills the centres of its squares and then the midpoints of their edges with the mean
    of four neighbours plus w * U(-w, w): the noise of the official code has amplitude w^2, not w. Everything wraps
    around, and w starts at 100 and is divided by `decay` from level to level.
    """
    assert side & (side - 1) == 0
    maps = np.zeros((len(uniforms), side, side))
    step, amplitude, used = side, float(START_AMPLITUDE), 0

    while step >= 2:
        half, cells = step // 2, side // step
        noise = amplitude**2 * (2 * uniforms[:, used : used + 3 * cells**2] - 1)
        centre_noise, row_noise, column_noise = noise.reshape(-1, 3, cells, cells).swapaxes(0, 1)
        corners = maps[:, ::step, ::step]
        corners_above_below = corners + np.roll(corners, -1, axis=1)
        corners_left_right = corners + np.roll(corners, -1, axis=2)
        centres = (corners_above_below + np.roll(corners_above_below, -1, axis=2)) / 4 + centre_noise
        centres_above_below = centres + np.roll(centres, 1, axis=1)
        centres_left_right = centres + np.roll(centres, 1, axis=2)
        maps[:, half::step, half::step] = centres
        maps[:, ::step, half::step] = (centres_above_below + corners_left_right) / 4 + row_noise
        maps[:, half::step, ::step] = (centres_left_right + corners_above_below) / 4 + column_noise
        step, amplitude, used = half, amplitude / decay, used + 3 * cells**2

    maps -= maps.min(axis=(1, 2), keepdims=True)
    maps /= maps.max(axis=(1, 2), keepdims=True)
    return maps
