"""MNIST-C fog (severity 5) and spatter (severity 4). Signature: see conventions.py."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, special

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms
from thawline.data.corruptions.plasma import plasma_maps

FOG_STRENGTH = 3
FOG_DECAY = 1.4
FOG_MAP_SIDE = 256

SPATTER_MEAN = 0.65
SPATTER_STD = 0.3
SPATTER_LIQUID_SIGMA = 1
SPATTER_THRESHOLD = 0.65
SPATTER_MASK_SIGMA = 1.5
SPATTER_MASK_MIN = 0.8
SPATTER_GREY = 63


def fog(images: Images, uniforms: Uniforms) -> Pixels:
    """(x + 3 P) m / (m + 3), m = max(x), P the corner of a plasma map of side 256; 256^2 - 1 uniform numbers."""
    height, width = images.shape[1:]
    plasma = plasma_maps(uniforms, FOG_MAP_SIDE, FOG_DECAY)[:, :height, :width]
    brightest = images.max(axis=(1, 2), keepdims=True) / 255
    fogged: Pixels = (images / 255 + FOG_STRENGTH * plasma) * brightest / (brightest + FOG_STRENGTH)
    return np.clip(fogged, 0, 1) * 255


def spatter(images: Images, uniforms: Uniforms) -> Pixels:
    """Drops of mud, grey 63/255, where smoothed Gaussian noise is above its threshold; one uniform number per pixel."""
    # The floor keeps a uniform number of exactly 0 from becoming minus infinity.
    noise = special.ndtri(np.maximum(uniforms, 2.0**-54)).reshape(images.shape)
    liquid = _blur(SPATTER_MEAN + SPATTER_STD * noise, SPATTER_LIQUID_SIGMA)
    mask = _blur((liquid > SPATTER_THRESHOLD).astype(np.float64), SPATTER_MASK_SIGMA)
    mask[mask < SPATTER_MASK_MIN] = 0
    spattered: Pixels = images * (1 - mask) + SPATTER_GREY * mask
    return spattered


def _blur(images: Pixels, sigma: float) -> Pixels:
    blurred: Pixels = ndimage.gaussian_filter(images, (0, sigma, sigma), mode="nearest", truncate=4)
    return blurred
