"""Spatter: drops of mud (MNIST-C, CIFAR-C) or of water (CIFAR-C). Form: see conventions.py.

One uniform number per pixel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thawline.data.corruptions.blur import smooth
from thawline.data.corruptions.conventions import Images, Pixels, Uniforms, by_image, normals
from thawline.data.corruptions.water import depth_of_water

MUD_LEAST = 0.8
WATER_COLOUR = np.array([175.0, 238.0, 238.0])


def mud_spatter(
    images: Images,
    uniforms: Uniforms,
    *,
    mean: float,
    std: float,
    liquid_sigma: float,
    threshold: float,
    mask_sigma: float,
    colour: tuple[float, ...],
) -> Pixels:
    """Drops where smoothed Gaussian noise is above its threshold; `colour` in 0..255, one number a channel."""
    liquid = _liquid(uniforms, images, mean, std, liquid_sigma)
    mask = smooth((liquid > threshold).astype(np.float64), mask_sigma)
    mask[mask < MUD_LEAST] = 0
    channels = images.reshape(*images.shape[:3], -1)
    spattered: Pixels = channels * (1 - mask[..., None]) + np.array(colour) * mask[..., None]
    return spattered.reshape(images.shape)


def water_spatter(
    images: Images,
    uniforms: Uniforms,
    *,
    mean: float,
    std: float,
    liquid_sigma: float,
    threshold: float,
    strength: float,
) -> Pixels:
    """Drops of pale turquoise light, brightest (`strength`) where they are deepest."""
    liquid = _liquid(uniforms, images, mean, std, liquid_sigma)
    liquid = np.where(liquid < threshold, 0, liquid)
    # Deviation: the official code lets the few values above 255 wrap around to dark ones.
    grey = np.clip(np.floor(liquid * 255), 0, 255).astype(np.uint8)
    shine = grey * depth_of_water(grey)
    deepest = shine.reshape(len(shine), -1).max(axis=1)
    shine = shine / by_image(np.where(deepest > 0, deepest, 1), shine) * strength
    lit: Pixels = images + shine[..., None] * WATER_COLOUR
    return lit


def _liquid(uniforms: Uniforms, images: Images, mean: float, std: float, sigma: float) -> npt.NDArray[np.float64]:
    """Smoothed noise [n, height, width]."""
    return smooth(mean + std * normals(uniforms).reshape(images.shape[:3]), sigma)
