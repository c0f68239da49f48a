"""MNIST-C shot noise (severity 5) and impulse noise (severity 4). Signature: see conventions.py."""

from __future__ import annotations

import numpy as np

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

SHOT_RATE = 3
IMPULSE_SHARE = 0.17


def shot_noise(images: Images, uniforms: Uniforms) -> Pixels:
    """clip(Poisson(3 x) / 3, 0, 1) for x in [0, 1]; one uniform number per pixel.

    By inversion of the Poisson distribution. Counts above 3 are clipped to 1 anyway, so three thresholds suffice.
    """
    rate = np.arange(256) * (SHOT_RATE / 255)
    term = np.exp(-rate)
    at_most = np.zeros(256)
    count = np.zeros(images.shape)
    thresholds = uniforms.reshape(images.shape)
    for k in range(SHOT_RATE):
        at_most += term  # P(Poisson <= k), by grey level
        count += thresholds >= at_most[images]
        term = term * rate / (k + 1)
    return count * (255 / SHOT_RATE)


def impulse_noise(images: Images, uniforms: Uniforms) -> Pixels:
    """Each pixel becomes black or white, with probability 0.085 each; one uniform number per pixel."""
    chance = uniforms.reshape(images.shape)
    noisy = np.where(chance < IMPULSE_SHARE, 255.0, images)
    return np.where(chance < IMPULSE_SHARE / 2, 0.0, noisy)
