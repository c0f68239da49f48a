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
    num_maps = len(uniforms)
    maps = np.zeros((num_maps, side, side))
    step, amplitude, used = side, float(START_AMPLITUDE), 0
    while step >= 2:
        half, cells = step // 2, (side // step) ** 2
        squares, rows, columns = (
            amplitude**2 * (2 * uniforms[:, used + part * cells : used + (part + 1) * cells] - 1) for part in range(3)
        )
        grid = (num_maps, side // step, side // step)
        corners = maps[:, ::step, ::step]
        above_and_below = corners + np.roll(corners, -1, axis=1)
        right_corners = corners + np.roll(corners, -1, axis=2)
        centres = (above_and_below + np.roll(above_and_below, -1, axis=2)) / 4 + squares.reshape(grid)
        maps[:, half::step, half::step] = centres
        maps[:, ::step, half::step] = (centres + np.roll(centres, 1, axis=1) + right_corners) / 4 + rows.reshape(grid)
        maps[:, half::step, ::step] = (centres + np.roll(centres, 1, axis=2) + above_and_below) / 4 + columns.reshape(
            grid
        )
        step, amplitude, used = half, amplitude / decay, used + 3 * cells
    maps -= maps.min(axis=(1, 2), keepdims=True)
    maps /= maps.max(axis=(1, 2), keepdims=True)
    return maps
