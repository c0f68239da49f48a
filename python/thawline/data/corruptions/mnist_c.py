"""MNIST-C, regenerated: the 15 corruptions of the benchmark, each at its one severity.

Source: Mu and Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision" (2019) and its published code. The archive
was drawn from an unseeded generator, so these images agree with it in distribution, not bit for bit; results must be
labelled "regenerated".
"""

from __future__ import annotations

from functools import partial

import numpy as np

from thawline.data.corruptions.affine import rotate, scale, shear, translate
from thawline.data.corruptions.canny import canny_edges
from thawline.data.corruptions.conventions import Corruption, Images
from thawline.data.corruptions.generate import generate
from thawline.data.corruptions.glass import glass_blur_grey, num_disturbances
from thawline.data.corruptions.intensity import brightness, stripe
from thawline.data.corruptions.lines import dotted_line, zigzag
from thawline.data.corruptions.motion import motion_blur
from thawline.data.corruptions.noise import impulse_noise, shot_noise
from thawline.data.corruptions.spatter import mud_spatter
from thawline.data.corruptions.weather import fog
from thawline.host.determinism import derive_seed

PARAMETERS_VERSION = 1
"""Raised whenever the same (images, corruption, seed) would give other pixels; cached images carry it."""

SIDE = 28
PIXELS = SIDE**2
FOG_MAP_SIDE = 256

mud = partial(mud_spatter, mean=0.65, std=0.3, liquid_sigma=1, threshold=0.65, mask_sigma=1.5, colour=(63,))

CORRUPTIONS = {
    "shot_noise": Corruption(partial(shot_noise, rate=3), PIXELS),
    "impulse_noise": Corruption(partial(impulse_noise, share=0.17), PIXELS),
    "glass_blur": Corruption(partial(glass_blur_grey, sigma=0.7, passes=2), num_disturbances(SIDE, passes=2)),
    "motion_blur": Corruption(partial(motion_blur, radius=10, sigma=3), 1),
    "shear": Corruption(shear, 1),
    "scale": Corruption(scale, 0),
    "rotate": Corruption(rotate, 1),
    "brightness": Corruption(brightness, 0),
    "translate": Corruption(translate, 2),
    "stripe": Corruption(stripe, 0),
    "fog": Corruption(partial(fog, strength=3, decay=1.4, map_side=FOG_MAP_SIDE), FOG_MAP_SIDE**2 - 1),
    "spatter": Corruption(mud, PIXELS),
    "dotted_line": Corruption(dotted_line, 2),
    "zigzag": Corruption(zigzag, 2),
    "canny_edges": Corruption(canny_edges, 0),
}

MNIST_C_CORRUPTIONS = tuple(CORRUPTIONS)
"""The names, in the benchmark's order; `identity`, its sanity check, is not a corruption and not in the mean."""


def corrupt(images: Images, corruption: str, seed: int) -> Images:
    """Images uint8 [n, 28, 28] with one corruption of MNIST_C_CORRUPTIONS: uint8 [n, 28, 28].

    The randomness of image i is a function of (seed, corruption, i) alone.
    """
    assert images.shape[1:] == (SIDE, SIDE)
    # rint rounds halves to even.
    return generate(images, CORRUPTIONS[corruption], derive_seed(seed, "mnist_c", corruption), np.rint)
