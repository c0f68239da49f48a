"""Corrupted images chunk by chunk, each image from a random stream of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from thawline.data.corruptions.conventions import Corruption, Images, Pixels, Uniforms

MAX_CHUNK_NUMBERS = 2**18
"""Numbers worked on at a time: a few MB stay in the processor's cache, whatever the number of images."""


def generate(images: Images, corruption: Corruption, key: int, to_whole: Callable[[Pixels], Pixels]) -> Images:
    """uint8 images of the same shape; `to_whole` makes whole numbers of pixels (`np.rint`, `np.trunc`).

    The randomness of image i is a function of (key, i) alone: the first 2000 of 10000 corrupted images are the same as
    2000 corrupted ones.
    """
    assert images.dtype == np.uint8
    apply, num_uniforms = corruption
    chunk = max(1, MAX_CHUNK_NUMBERS // max(num_uniforms, math.prod(images.shape[1:])))
    corrupted = np.empty_like(images)
    for start in range(0, len(images), chunk):
        end = min(start + chunk, len(images))
        pixels = apply(images[start:end], _uniforms(key, range(start, end), num_uniforms))
        corrupted[start:end] = to_whole(np.clip(pixels, 0, 255))
    return corrupted


def _uniforms(key: int, image_numbers: range, num_uniforms: int) -> Uniforms:
    """Uniform numbers [image, num_uniforms] in [0, 1), each row from the counter-based stream of its image.

    Raw uniform numbers only: NumPy keeps these stable from version to version, unlike its other distributions.
    """
    uniforms = np.empty((len(image_numbers), num_uniforms))
    if num_uniforms > 0:
        for row, number in enumerate(image_numbers):
            # The image's number is the top word of the 256-bit counter, so streams never overlap.
            np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, number])).random(out=uniforms[row])
    return uniforms
