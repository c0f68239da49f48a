"""CIFAR-10-C and CIFAR-100-C, regenerated: 19 corruptions at 5 severities each, for 32 x 32 colour images.

Source: Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations"
(2019) and its published code for CIFAR, whose settings are far weaker than those for ImageNet. The archives were drawn
from an unseeded generator, so these images agree with them in distribution, not bit for bit; results must be labelled
"regenerated".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from thawline.data.corruptions import elastic
from thawline.data.corruptions.blur import defocus_blur, gaussian_blur, zoom_blur
from thawline.data.corruptions.colour import brightness, contrast, saturate
from thawline.data.corruptions.compression import jpeg_compression, pixelate
from thawline.data.corruptions.conventions import Corruption, Images, Pixels
from thawline.data.corruptions.generate import generate
from thawline.data.corruptions.glass import glass_blur_colour, num_disturbances
from thawline.data.corruptions.motion import motion_blur
from thawline.data.corruptions.noise import gaussian_noise, impulse_noise, shot_noise, speckle_noise
from thawline.data.corruptions.spatter import mud_spatter, water_spatter
from thawline.data.corruptions.weather import fog, frost, snow
from thawline.host.determinism import derive_seed

PARAMETERS_VERSION = 1
"""Raised whenever the same (images, corruption, severity, seed) would give other pixels; cached images carry it."""

SIDE = 32
PIXELS = SIDE**2
VALUES = 3 * PIXELS
SEVERITIES = (1, 2, 3, 4, 5)

Levels = tuple[Corruption, ...]
"""One corruption at its five severities."""


def levels(apply: Callable[..., Pixels], num_uniforms: int, **settings: Sequence[float]) -> Levels:
    """Each setting is given for severities 1 to 5."""
    at_severity = (dict(zip(settings, values, strict=True)) for values in zip(*settings.values(), strict=True))
    return tuple(Corruption(partial(apply, **values), num_uniforms) for values in at_severity)


GLASS = ((0.05, 1), (0.25, 1), (0.4, 1), (0.25, 2), (0.4, 2))

SPATTER = (
    partial(water_spatter, mean=0.62, std=0.1, liquid_sigma=0.7, threshold=0.7, strength=0.5),
    partial(water_spatter, mean=0.65, std=0.1, liquid_sigma=0.8, threshold=0.7, strength=0.5),
    partial(water_spatter, mean=0.65, std=0.3, liquid_sigma=1, threshold=0.69, strength=0.5),
    partial(mud_spatter, mean=0.65, std=0.1, liquid_sigma=0.7, threshold=0.69, mask_sigma=0.6, colour=(63, 42, 20)),
    partial(mud_spatter, mean=0.65, std=0.1, liquid_sigma=0.5, threshold=0.68, mask_sigma=0.6, colour=(63, 42, 20)),
)

MAIN: dict[str, Levels] = {
    "gaussian_noise": levels(gaussian_noise, VALUES, std=(0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot_noise": levels(shot_noise, VALUES, rate=(500, 250, 100, 75, 50)),
    "impulse_noise": levels(impulse_noise, VALUES, share=(0.01, 0.02, 0.03, 0.05, 0.07)),
    "defocus_blur": levels(defocus_blur, 0, radius=(0.3, 0.4, 0.5, 1, 1.5), alias_sigma=(0.4, 0.5, 0.6, 0.2, 0.1)),
    "glass_blur": tuple(
        Corruption(partial(glass_blur_colour, sigma=sigma, passes=passes), num_disturbances(SIDE, passes))
        for sigma, passes in GLASS
    ),
    "motion_blur": levels(motion_blur, 1, radius=(6, 6, 6, 8, 9), sigma=(1, 1.5, 2, 2, 2.5)),
    "zoom_blur": levels(zoom_blur, 0, end=(1.06, 1.11, 1.16, 1.21, 1.26)),
    "snow": levels(
        snow,
        PIXELS + 1,
        mean=(0.1, 0.1, 0.15, 0.25, 0.3),
        std=(0.2, 0.2, 0.3, 0.3, 0.3),
        factor=(1, 1, 1.75, 2.25, 1.25),
        threshold=(0.6, 0.5, 0.55, 0.6, 0.65),
        radius=(8, 10, 10, 12, 14),
        sigma=(3, 4, 4, 6, 12),
        kept=(0.95, 0.9, 0.9, 0.85, 0.8),
    ),
    "frost": levels(frost, 3, image_weight=(1, 1, 0.9, 0.85, 0.75), frost_weight=(0.2, 0.3, 0.4, 0.4, 0.45)),
    "fog": levels(fog, PIXELS - 1, strength=(0.2, 0.5, 0.75, 1, 1.5), decay=(3, 3, 2.5, 2, 1.75), map_side=(SIDE,) * 5),
    "brightness": levels(brightness, 0, increase=(0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": levels(contrast, 0, factor=(0.75, 0.5, 0.4, 0.3, 0.15)),
    "elastic_transform": levels(
        elastic.elastic_transform,
        elastic.num_uniforms(SIDE),
        strength=(0, 1.6, 2.56, 3.2, 3.2),
        sigma=(0, 6.4, 1.92, 1.28, 0.96),
        jitter=(2.56, 2.24, 1.92, 1.6, 0.96),
    ),
    "pixelate": levels(pixelate, 0, side=(30, 28, 27, 24, 20)),
    "jpeg_compression": levels(jpeg_compression, 0, quality=(80, 65, 58, 50, 40)),
}

EXTRA: dict[str, Levels] = {
    "speckle_noise": levels(speckle_noise, VALUES, std=(0.06, 0.10, 0.12, 0.16, 0.20)),
    "gaussian_blur": levels(gaussian_blur, 0, sigma=(0.4, 0.6, 0.7, 0.8, 1)),
    "spatter": tuple(Corruption(spatter, PIXELS) for spatter in SPATTER),
    "saturate": levels(saturate, 0, factor=(0.3, 0.1, 1.5, 2, 2.5), increase=(0, 0, 0, 0.1, 0.2)),
}

CIFAR_C_MAIN = tuple(MAIN)
"""The 15 corruptions of the benchmark, in its order: the out-of-distribution mean is over these."""

CIFAR_C_ALL = (*MAIN, *EXTRA)
"""With the four that the benchmark sets apart for validation."""


def corrupt(
    images: Images, corruption: str, severity: int, seed: int, frost_textures: Sequence[Images] | None = None
) -> Images:
    """Images uint8 [n, 32, 32, 3] with one corruption of CIFAR_C_ALL at severity 1 to 5: uint8 [n, 32, 32, 3].

    The randomness of image i is a function of (seed, corruption, severity, i) alone. `frost` needs its textures, uint8
    [height, width, 3] each, at the scale of the images.
    """
    assert images.shape[1:] == (SIDE, SIDE, 3)
    apply, num_uniforms = (MAIN | EXTRA)[corruption][severity - 1]
    if corruption == "frost":
        assert frost_textures, "frost has no textures"
        apply = partial(apply, textures=frost_textures)  # type: ignore[call-arg]
    key = derive_seed(seed, "cifar_c", corruption, severity)
    # Not rounded: the published images were cut off.
    return generate(images, Corruption(apply, num_uniforms), key, np.trunc)
