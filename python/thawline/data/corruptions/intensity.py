"""MNIST-C brightness (severity 5) and stripe: grey levels change, place by place. Signature: see conventions.py."""

from __future__ import annotations

import numpy as np

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms

BRIGHTNESS = 127.5
STRIPE_LEFT_END = 7
STRIPE_RIGHT_START = 21


def brightness(images: Images, uniforms: Uniforms) -> Pixels:
    """min(x + 0.5, 1); no randomness. (The official detour over HSV's V comes to this for a grey image.)"""
    brightened: Pixels = np.minimum(images + BRIGHTNESS, 255)
    return brightened


def stripe(images: Images, uniforms: Uniforms) -> Pixels:
    """The seven columns at either edge inverted; no randomness."""
    striped = images.astype(np.float64)
    for columns in (slice(STRIPE_LEFT_END), slice(STRIPE_RIGHT_START, None)):
        striped[:, :, columns] = 255 - striped[:, :, columns]
    return striped
