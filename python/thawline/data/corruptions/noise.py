"""Noise on each value: shot and impulse noise (MNIST-C, CIFAR-C), Gaussian and speckle noise (CIFAR-C).

Form: see conventions.py. Each takes one uniform number per value, so three per colour pixel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms, normals


def gaussian_noise(images: Images, uniforms: Uniforms, *, std: float) -> Pixels:
    """x + N(0, std^2) for x in [0, 1]."""
    noisy: Pixels = images / 255 + std * normals(uniforms).reshape(images.shape)
    return np.clip(noisy, 0, 1) * 255


def speckle_noise(images: Images, uniforms: Uniforms, *, std: float) -> Pixels:
    """x + x N(0, std^2) for x in [0, 1]."""
    values = images / 255
    return np.clip(values + values * std * normals(uniforms).reshape(images.shape), 0, 1) * 255


def shot_noise(images: Images, uniforms: Uniforms, *, rate: int) -> Pixels:
    """clip(Poisson(rate x) / rate, 0, 1) for x in [0, 1], by inversion of the Poisson distribution."""
    at_most = _poisson_at_most(rate)
    # Counts from `rate` on are clipped to 1, so that many thresholds per grey level suffice. All levels are searched
    # as one sorted array: the numbers and thresholds of level g lie in [g, g + 1].
    thresholds = (np.arange(256)[:, None] + at_most).reshape(-1)
    wanted = images + uniforms.reshape(images.shape)
    count = np.searchsorted(thresholds, wanted, side="right") - images.astype(np.intp) * rate
    return count / rate * 255


def _poisson_at_most(rate: int) -> npt.NDArray[np.float64]:
    """P(Poisson(rate g / 255) <= k) [256, rate], for the grey levels g and k = 0 .. rate - 1."""
    mean = np.arange(256) * (rate / 255)
    factors = np.empty((256, rate))
    factors[:, 0] = np.exp(-mean)
    factors[:, 1:] = mean[:, None] / np.arange(1, rate)
    cumulative: npt.NDArray[np.float64] = np.cumprod(factors, axis=1).cumsum(axis=1)
    # Sums of rounded terms may pass 1 by a rounding error, and then reach into the next level's range.
    return np.minimum(cumulative, 1)


def impulse_noise(images: Images, uniforms: Uniforms, *, share: float) -> Pixels:
    """Each value becomes 0 or 255, with probability `share` / 2 each."""
    chance = uniforms.reshape(images.shape)
    noisy = np.where(chance < share, 255.0, images)
    return np.where(chance < share / 2, 0.0, noisy)
