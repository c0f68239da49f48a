"""Fog (MNIST-C, CIFAR-C), snow and frost (CIFAR-C). Form: see conventions.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thawline.data.corruptions.blur import zoom
from thawline.data.corruptions.conventions import Images, Pixels, Uniforms, by_image, normals
from thawline.data.corruptions.motion import streak
from thawline.data.corruptions.plasma import plasma_maps

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""Of red, green and blue in grey, as OpenCV has them."""

SNOW_MEAN_DEGREES = -90
SNOW_MAX_DEGREES = 45


def fog(images: Images, uniforms: Uniforms, *, strength: float, decay: float, map_side: int) -> Pixels:
    """(x + strength P) m / (m + strength), m = max(x), P the corner of a plasma map, the same for all channels.

    map_side^2 - 1 uniform numbers.
    """
    height, width = images.shape[1:3]
    plasma = plasma_maps(uniforms, map_side, decay)[:, :height, :width]
    plasma = plasma.reshape(*plasma.shape, *[1] * (images.ndim - 3))
    brightest = by_image(images.reshape(len(images), -1).max(axis=1) / 255, images)
    fogged: Pixels = (images / 255 + strength * plasma) * brightest / (brightest + strength)
    return np.clip(fogged, 0, 1) * 255


def snow(
    images: Images,
    uniforms: Uniforms,
    *,
    mean: float,
    std: float,
    factor: float,
    threshold: float,
    radius: int,
    sigma: float,
    kept: float,
) -> Pixels:
    """Flakes (enlarged noise above a threshold) that fall in streaks, twice: as they are, and turned by 180 degrees.

    Below them the image, mixed with a whitened form of itself, of which it is the share `kept`. One uniform number per
    pixel, and one for the angle.
    """
    height, width = images.shape[1:3]
    values = images / 255
    noise = mean + std * normals(uniforms[:, :-1]).reshape(-1, height, width)
    flakes = zoom(noise, factor)
    flakes = np.floor(np.clip(np.where(flakes < threshold, 0, flakes), 0, 1) * 255)
    degrees = SNOW_MEAN_DEGREES + SNOW_MAX_DEGREES * (2 * uniforms[:, -1] - 1)
    layer = np.rint(streak(flakes, degrees, radius=radius, sigma=sigma))[..., None] / 255
    grey = (values * GREY_WEIGHTS).sum(axis=3, keepdims=True)
    whitened = np.maximum(values, grey * 1.5 + 0.5)
    snowy: Pixels = kept * values + (1 - kept) * whitened + layer + layer[:, ::-1, ::-1]
    return np.clip(snowy, 0, 1) * 255


def frost(
    images: Images, uniforms: Uniforms, *, textures: Sequence[Images], image_weight: float, frost_weight: float
) -> Pixels:
    """image_weight x + frost_weight f, f a random cut from one of the textures (uint8 [height, width, 3]).

    Three uniform numbers: texture, row, column. As in the official code, the last row and column are never reached.
    """
    height, width = images.shape[1:3]
    chosen = np.floor(uniforms[:, 0] * len(textures)).astype(np.intp)
    cuts = np.empty(images.shape)
    for cut, number, (u_row, u_column) in zip(cuts, chosen, uniforms[:, 1:], strict=True):
        texture = textures[number]
        top = int(u_row * (texture.shape[0] - height))
        left = int(u_column * (texture.shape[1] - width))
        cut[...] = texture[top : top + height, left : left + width]
    frosted: Pixels = image_weight * images + frost_weight * cuts
    return np.clip(frosted, 0, 255)
