"""CIFAR-C brightness, saturate and contrast: colours change, pixel by pixel. Form: see conventions.py."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms


class HueSaturationValue(NamedTuple):
    """Colours of [n, height, width, 3] in [0, 1]: each channel is value * (1 - saturation * hue)."""

    hue: Pixels
    """[n, height, width, 3]: how far each channel is below the largest, as a share of the smallest's way down."""
    saturation: Pixels
    """[n, height, width, 1]"""
    value: Pixels
    """[n, height, width, 1]"""


def brightness(images: Images, uniforms: Uniforms, *, increase: float) -> Pixels:
    """V of HSV becomes clip(V + increase, 0, 1); no randomness."""
    hue, saturation, value = _to_hsv(images)
    return _from_hsv(HueSaturationValue(hue, saturation, np.clip(value + increase, 0, 1)))


def saturate(images: Images, uniforms: Uniforms, *, factor: float, increase: float) -> Pixels:
    """S of HSV becomes clip(factor S + increase, 0, 1); no randomness. An increase turns grey into pale red."""
    hue, saturation, value = _to_hsv(images)
    return _from_hsv(HueSaturationValue(hue, np.clip(saturation * factor + increase, 0, 1), value))


def contrast(images: Images, uniforms: Uniforms, *, factor: float) -> Pixels:
    """(x - mean) factor + mean, with the mean of each channel of the image; no randomness."""
    values = images / 255
    means = values.mean(axis=(1, 2), keepdims=True)
    stretched: Pixels = np.clip((values - means) * factor + means, 0, 1) * 255
    return stretched


def _to_hsv(images: Images) -> HueSaturationValue:
    channels = images / 255
    value = channels.max(axis=3, keepdims=True)
    spread = value - channels.min(axis=3, keepdims=True)
    hue = (value - channels) / np.where(spread > 0, spread, 1)
    # Grey has no hue; by convention it counts as red, of which the other two channels are the smallest.
    hue = np.where(spread > 0, hue, [0.0, 1.0, 1.0])
    return HueSaturationValue(hue, spread / np.where(value > 0, value, 1), value)


def _from_hsv(colour: HueSaturationValue) -> Pixels:
    pixels: Pixels = colour.value * (1 - colour.saturation * colour.hue)
    return pixels * 255
