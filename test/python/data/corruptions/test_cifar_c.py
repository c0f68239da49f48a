import hashlib

import numpy as np
import pytest

from thawline.data.corruptions import cifar_c
from thawline.data.corruptions.cifar_c import CIFAR_C_ALL, CIFAR_C_MAIN, SEVERITIES, corrupt

DETERMINISTIC = {
    "defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression", "gaussian_blur", "saturate",
}  # fmt: skip
# The published settings do not grow: less jitter with more displacement, other kinds of drops, colours taken and given.
# JPEG depends on the picture; test_compression.py has one where it grows.
NOT_MONOTONE = {"elastic_transform", "spatter", "saturate", "glass_blur", "motion_blur", "frost", "jpeg_compression"}
TEXTURES = [np.random.default_rng(number).integers(256, size=(60, 100, 3), dtype=np.uint8) for number in range(5)]


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Twelve colour images [12, 32, 32, 3]: gradients with a bright box and some grain, each a bit different."""
    rows, columns = np.mgrid[:32, :32]
    grain = np.random.default_rng(0).integers(-25, 26, size=(12, 32, 32, 3))
    images = np.empty((12, 32, 32, 3), np.uint8)
    for i, image in enumerate(images):
        image[..., 0] = 60 + 4 * rows
        image[..., 1] = 150 - 3 * columns
        image[..., 2] = 100 + 2 * (rows + columns) // 2
        image[8 + i : 18 + i, 6 : 16 + i] = (230, 200 - 5 * i, 90)
    return np.clip(images + grain, 0, 255).astype(np.uint8)


def made(images, corruption, severity, seed=0):
    return corrupt(images, corruption, severity, seed, TEXTURES)


def test_the_benchmark_has_fifteen_corruptions_and_four_more():
    assert " ".join(CIFAR_C_MAIN) == (
        "gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog "
        "brightness contrast elastic_transform pixelate jpeg_compression"
    )
    assert CIFAR_C_ALL[15:] == ("speckle_noise", "gaussian_blur", "spatter", "saturate")
    assert all(len(levels) == 5 for levels in (cifar_c.MAIN | cifar_c.EXTRA).values())


# Of the published code for CIFAR, by severity; None: the kind of spatter at that severity does not have it.
PUBLISHED = {
    "gaussian_noise": {"std": [0.04, 0.06, 0.08, 0.09, 0.10]},
    "shot_noise": {"rate": [500, 250, 100, 75, 50]},
    "impulse_noise": {"share": [0.01, 0.02, 0.03, 0.05, 0.07]},
    "defocus_blur": {"radius": [0.3, 0.4, 0.5, 1, 1.5], "alias_sigma": [0.4, 0.5, 0.6, 0.2, 0.1]},
    "glass_blur": {"sigma": [0.05, 0.25, 0.4, 0.25, 0.4], "passes": [1, 1, 1, 2, 2]},
    "motion_blur": {"radius": [6, 6, 6, 8, 9], "sigma": [1, 1.5, 2, 2, 2.5]},
    "zoom_blur": {"end": [1.06, 1.11, 1.16, 1.21, 1.26]},
    "snow": {
        "mean": [0.1, 0.1, 0.15, 0.25, 0.3],
        "std": [0.2, 0.2, 0.3, 0.3, 0.3],
        "factor": [1, 1, 1.75, 2.25, 1.25],
        "threshold": [0.6, 0.5, 0.55, 0.6, 0.65],
        "radius": [8, 10, 10, 12, 14],
        "sigma": [3, 4, 4, 6, 12],
        "kept": [0.95, 0.9, 0.9, 0.85, 0.8],
    },
    "frost": {"image_weight": [1, 1, 0.9, 0.85, 0.75], "frost_weight": [0.2, 0.3, 0.4, 0.4, 0.45]},
    "fog": {"strength": [0.2, 0.5, 0.75, 1, 1.5], "decay": [3, 3, 2.5, 2, 1.75], "map_side": [32] * 5},
    "brightness": {"increase": [0.05, 0.1, 0.15, 0.2, 0.3]},
    "contrast": {"factor": [0.75, 0.5, 0.4, 0.3, 0.15]},
    "elastic_transform": {
        "strength": [0, 1.6, 2.56, 3.2, 3.2],
        "sigma": [0, 6.4, 1.92, 1.28, 0.96],
        "jitter": [2.56, 2.24, 1.92, 1.6, 0.96],
    },
    "pixelate": {"side": [30, 28, 27, 24, 20]},
    "jpeg_compression": {"quality": [80, 65, 58, 50, 40]},
    "speckle_noise": {"std": [0.06, 0.10, 0.12, 0.16, 0.20]},
    "gaussian_blur": {"sigma": [0.4, 0.6, 0.7, 0.8, 1]},
    "spatter": {
        "mean": [0.62, 0.65, 0.65, 0.65, 0.65],
        "std": [0.1, 0.1, 0.3, 0.1, 0.1],
        "liquid_sigma": [0.7, 0.8, 1, 0.7, 0.5],
        "threshold": [0.7, 0.7, 0.69, 0.69, 0.68],
        "strength": [0.5, 0.5, 0.5, None, None],
        "mask_sigma": [None, None, None, 0.6, 0.6],
        "colour": [None, None, None, (63, 42, 20), (63, 42, 20)],
    },
    "saturate": {"factor": [0.3, 0.1, 1.5, 2, 2.5], "increase": [0, 0, 0, 0.1, 0.2]},
}


@pytest.mark.parametrize("corruption", CIFAR_C_ALL)
def test_settings_by_severity_are_the_published_ones(corruption):
    published = PUBLISHED[corruption]
    for place, level in enumerate((cifar_c.MAIN | cifar_c.EXTRA)[corruption]):
        wanted = {setting: values[place] for setting, values in published.items() if values[place] is not None}
        assert level.apply.keywords == wanted


@pytest.mark.parametrize("corruption", CIFAR_C_ALL)
def test_every_corruption_changes_the_images_and_leaves_its_input_alone(pictures, corruption):
    before = pictures.copy()
    for severity in (1, 5):
        corrupted = made(pictures, corruption, severity)
        assert corrupted.shape == pictures.shape
        assert corrupted.dtype == np.uint8
        assert all((new != old).any() for new, old in zip(corrupted, before, strict=True))
    np.testing.assert_array_equal(pictures, before)


@pytest.mark.parametrize("corruption", [name for name in CIFAR_C_ALL if name not in NOT_MONOTONE])
def test_a_higher_severity_is_farther_from_the_image(pictures, corruption):
    errors = [np.abs(made(pictures, corruption, s).astype(float) - pictures).mean() for s in SEVERITIES]
    assert errors == sorted(errors)
    assert errors[-1] > 1.2 * errors[0]


@pytest.mark.parametrize("corruption", CIFAR_C_ALL)
def test_the_first_images_of_many_equal_a_generation_of_few(pictures, corruption):
    many = np.concatenate([pictures] * 8)  # 96 images: two chunks
    everything = made(many, corruption, 3, seed=3)
    for count in (1, 90):
        np.testing.assert_array_equal(made(many[:count], corruption, 3, seed=3), everything[:count])


@pytest.mark.parametrize("corruption", [name for name in CIFAR_C_ALL if name not in DETERMINISTIC])
def test_images_severities_and_seeds_have_randomness_of_their_own(pictures, corruption):
    same_image = np.repeat(pictures[:1], 8, axis=0)
    corrupted = made(same_image, corruption, 2)
    assert len({image.tobytes() for image in corrupted}) > 1
    assert (made(same_image, corruption, 2, seed=1) != corrupted).any()
    np.testing.assert_array_equal(made(same_image, corruption, 2), corrupted)


def test_pixels_are_cut_off_and_not_rounded():
    # 0.05 * 255 is 12.75.
    grey = np.full((1, 32, 32, 3), 100, np.uint8)
    np.testing.assert_array_equal(corrupt(grey, "brightness", 1, seed=0), 112)


def test_the_random_stream_is_pinned():
    """If this fails, cached images are stale: raise PARAMETERS_VERSION. (Impulse noise only compares numbers.)"""
    noise = corrupt(np.full((3, 32, 32, 3), 100, np.uint8), "impulse_noise", 5, seed=0)
    assert hashlib.sha256(noise).hexdigest() == "189a0c0774c52831fcb7e3604b4f56da44b4c6ae9b3949db1be47658eddcacf8"


def test_no_images_give_no_images():
    empty = np.zeros((0, 32, 32, 3), np.uint8)
    assert all(made(empty, name, severity).shape == empty.shape for name in CIFAR_C_ALL for severity in (1, 5))
