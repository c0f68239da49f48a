"""CIFAR-C pixelate and JPEG compression, by Pillow. Form: see conventions.py. No randomness."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from thawline.data.corruptions.conventions import Images, Pixels, Uniforms


def pixelate(images: Images, uniforms: Uniforms, *, side: int) -> Pixels:
    """Shrunk to `side` x `side` pixels and enlarged again, both with a box filter."""
    height, width = images.shape[1:3]
    pixels = np.empty(images.shape)
    for pixelated, image in zip(pixels, images, strict=True):
        small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
        pixelated[...] = small.resize((width, height), Image.Resampling.BOX)
    return pixels


def jpeg_compression(images: Images, uniforms: Uniforms, *, quality: int) -> Pixels:
    """Written as JPEG with Pillow's default subsampling of colours, and read again."""
    pixels = np.empty(images.shape)
    for compressed, image in zip(pixels, images, strict=True):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        with Image.open(file) as decoded:
            compressed[...] = decoded
    return pixels
