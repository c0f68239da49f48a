"""MNIST-C dotted line and zigzag: lines drawn over the digit. Signature: see conventions.py."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

Coordinates = npt.NDArray[np.float64]

SIDE = 28
LINE_REACH = 2.3
NUM_ROWS_TO_START = 27

ZIGZAG_START, ZIGZAG_END = 2, 25
ZIGZAG_HALF_PERIOD = 2
ZIGZAG_HEIGHT = 2
ZIGZAG_MAX_FALL = 5
ZIGZAG_NUM_PEAKS = 6


def dotted_line(images: Images, uniforms: Uniforms) -> Pixels:
    """A line from column 0 to column 27 that shows in columns 2, 3, 6, 7, ..., 26; two uniform numbers."""
    start_row, end_row = np.floor(uniforms.T * NUM_ROWS_TO_START)
    line = _line(np.zeros_like(start_row), start_row, np.full_like(end_row, SIDE - 1), end_row)
    shown = np.arange(SIDE) % 4 >= 2
    return np.minimum(images / 255 + line * shown, 1) * 255


def zigzag(images: Images, uniforms: Uniforms) -> Pixels:
    """A zigzag around a base line from column 2 to column 25; two uniform numbers."""
    start_row = np.floor(uniforms[:, 0] * NUM_ROWS_TO_START)
    rise = np.floor(uniforms[:, 1] * 2 * ZIGZAG_MAX_FALL) - ZIGZAG_MAX_FALL
    columns, rows = _zigzag_vertices(start_row, rise)
    pixels = images / 255
    for i in range(1, len(columns)):
        pixels = np.minimum(pixels + _line(columns[i - 1], rows[i - 1], columns[i], rows[i]), 1)
    return pixels * 255


def _zigzag_vertices(start_row: Coordinates, rise: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Columns and rows [vertex, n]: the vertices along the base line, turned by its slope and moved to its start."""
    slope = np.arctan(rise / (ZIGZAG_END - ZIGZAG_START))
    length = (ZIGZAG_END - ZIGZAG_START) / np.cos(slope)
    period = 2 * ZIGZAG_HALF_PERIOD
    peak = np.arange(ZIGZAG_NUM_PEAKS)
    peak_height = ZIGZAG_HEIGHT * (-1.0) ** peak
    # Lengths lie between 23 and 23.6, so there are always six peaks, and the last point lies past a whole period.
    last_height = peak_height[-1] / (2 * (length - period * np.floor(length / period)))
    start = np.zeros_like(length)
    along = np.vstack([start, np.add.outer(peak * period + ZIGZAG_HALF_PERIOD, start), length])
    across = np.vstack([start, np.add.outer(peak_height, start), last_height])
    columns = ZIGZAG_START + np.cos(slope) * along - np.sin(slope) * across
    rows = start_row + np.sin(slope) * along + np.cos(slope) * across
    return columns, rows


def _line(c0: Coordinates, r0: Coordinates, c1: Coordinates, r1: Coordinates) -> Pixels:
    """Lines [n, 28, 28] from (column c0, row r0) to (c1, r1): ink 1 + ln(1 - d / 2.3), d the vertical distance."""
    slope = (r1 - r0) / (c1 - c0)
    columns = np.arange(SIDE)
    height = slope[:, None] * (columns - c0[:, None]) + r0[:, None]  # [n, column]
    distance = np.abs(columns[:, None] - height[:, None, :])  # [n, row, column]
    ink = np.maximum(1 + np.log(1 - np.minimum(distance, LINE_REACH - 1e-10) / LINE_REACH), 0)
    within = (columns >= np.floor(c0)[:, None]) & (columns < np.ceil(c1)[:, None])
    line: Pixels = ink * within[:, None, :]
    return line
