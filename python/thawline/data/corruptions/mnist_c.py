"""MNIST-C, regenerated: the 15 corruptions of the benchmark, each at its one severity.

Source: Mu and Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision" (2019) and its published code. The archive
was drawn from an unseeded generator, so these images agree with it in distribution, not bit for bit; results must be
labelled "regenerated".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from thawline.data.corruptions.affine import rotate, scale, shear, translate
from thawline.data.corruptions.blur import GLASS_NUM_SWAPS, glass_blur, motion_blur
from thawline.data.corruptions.canny import canny_edges
from thawline.data.corruptions.conventions import Images, Pixels, Uniforms
from thawline.data.corruptions.intensity import brightness, stripe
from thawline.data.corruptions.lines import dotted_line, zigzag
from thawline.data.corruptions.noise import impulse_noise, shot_noise
from thawline.data.corruptions.weather import FOG_MAP_SIDE, fog, spatter
from thawline.determinism import derive_seed

PARAMETERS_VERSION = 1
"""Raised whenever the same (images, corruption, seed) would give other pixels; cached images carry it."""

SIDE = 28

MAX_CHUNK_NUMBERS = 2**18
"""Uniform numbers drawn at a time: a few MB stay in the processor's cache, whatever the number of images."""


class Corruption(NamedTuple):
    apply: Callable[[Images, Uniforms], Pixels]
    num_uniforms: int


CORRUPTIONS = {
    "shot_noise": Corruption(shot_noise, SIDE**2),
    "impulse_noise": Corruption(impulse_noise, SIDE**2),
    "glass_blur": Corruption(glass_blur, GLASS_NUM_SWAPS),
    "motion_blur": Corruption(motion_blur, 1),
    "shear": Corruption(shear, 1),
    "scale": Corruption(scale, 0),
    "rotate": Corruption(rotate, 1),
    "brightness": Corruption(brightness, 0),
    "translate": Corruption(translate, 2),
    "stripe": Corruption(stripe, 0),
    "fog": Corruption(fog, FOG_MAP_SIDE**2 - 1),
    "spatter": Corruption(spatter, SIDE**2),
    "dotted_line": Corruption(dotted_line, 2),
    "zigzag": Corruption(zigzag, 2),
    "canny_edges": Corruption(canny_edges, 0),
}

MNIST_C_CORRUPTIONS = tuple(CORRUPTIONS)
"""The names, in the benchmark's order; `identity`, its sanity check, is not a corruption and not in the mean."""


def corrupt(images: Images, corruption: str, seed: int) -> Images:
    """Images uint8 [n, 28, 28] with one corruption of MNIST_C_CORRUPTIONS: uint8 [n, 28, 28].

    The randomness of image i is a function of (seed, corruption, i) alone: the first 2000 of 10000 corrupted images
    are the same as 2000 corrupted ones.
    """
    assert images.dtype == np.uint8
    assert images.shape[1:] == (SIDE, SIDE)
    apply, num_uniforms = CORRUPTIONS[corruption]
    key = derive_seed(seed, "mnist_c", corruption)
    chunk = MAX_CHUNK_NUMBERS // max(num_uniforms, SIDE**2)
    corrupted = np.empty_like(images)
    for start in range(0, len(images), chunk):
        end = min(start + chunk, len(images))
        pixels = apply(images[start:end], _uniforms(key, range(start, end), num_uniforms))
        corrupted[start:end] = np.clip(np.rint(pixels), 0, 255)  # rint rounds halves to even
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
