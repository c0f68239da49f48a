"""CIFAR-C elastic transform: a random affine map, then a smooth random displacement. Form: see conventions.py."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms
from thawline.data.corruptions.sampling import sample

ANCHORS = np.array([[26.0, 26.0], [26.0, 6.0], [6.0, 6.0]])
"""Three points (x, y) of a 32 x 32 image, around its centre (16, 16), that the affine map moves."""

NUM_JITTERS = ANCHORS.size


def num_uniforms(side: int) -> int:
    return NUM_JITTERS + 2 * side**2


def elastic_transform(images: Images, uniforms: Uniforms, *, strength: float, sigma: float, jitter: float) -> Pixels:
    """The anchors move by U(-jitter, jitter) pixels in x and y; each pixel by `strength` times smoothed U(-1, 1).

    Bilinear both times; mirrored at the outermost pixels by the affine map, at the outer edge by the displacement.
    """
    num_images, height, width = images.shape[:3]
    centred = 2 * uniforms - 1
    rows, columns = np.mgrid[:height, :width].astype(np.float64)

    moved = ANCHORS + jitter * centred[:, :NUM_JITTERS].reshape(-1, *ANCHORS.shape)
    # Sampling needs the way back: the affine map that takes the moved anchors to the anchors.
    places = np.concatenate([moved, np.ones((num_images, len(ANCHORS), 1))], axis=2)
    back = np.linalg.solve(places, np.broadcast_to(ANCHORS, moved.shape))  # [n, (x, y, 1), (x, y)]
    source_x, source_y = np.moveaxis(np.stack([columns, rows, np.ones_like(rows)], axis=2) @ back[:, None], -1, 0)
    mapped = sample(images / 255, source_y, source_x, "mirror")

    noise = centred[:, NUM_JITTERS:].reshape(-1, 2, height, width)
    shift_x, shift_y = strength * ndimage.gaussian_filter(
        noise, (0, 0, sigma, sigma), mode="reflect", truncate=3
    ).swapaxes(0, 1)
    return sample(mapped, rows + shift_y, columns + shift_x, "reflect") * 255
