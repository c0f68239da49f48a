import hashlib

import numpy as np
import pytest

from thawline.data.corruptions.mnist_c import CORRUPTIONS, MNIST_C_CORRUPTIONS, corrupt

DETERMINISTIC = {"scale", "brightness", "stripe", "canny_edges"}
RANDOM = [name for name in MNIST_C_CORRUPTIONS if name not in DETERMINISTIC]


def test_the_benchmark_has_fifteen_corruptions_in_this_order():
    assert " ".join(MNIST_C_CORRUPTIONS) == (
        "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness "
        "translate stripe fog spatter dotted_line zigzag canny_edges"
    )


PUBLISHED = {
    "shot_noise": {"rate": 3},
    "impulse_noise": {"share": 0.17},
    "glass_blur": {"sigma": 0.7, "passes": 2},
    "motion_blur": {"radius": 10, "sigma": 3},
    "fog": {"strength": 3, "decay": 1.4, "map_side": 256},
    "spatter": {
        "mean": 0.65,
        "std": 0.3,
        "liquid_sigma": 1,
        "threshold": 0.65,
        "mask_sigma": 1.5,
        "colour": (63,),
    },
}


@pytest.mark.parametrize("corruption", PUBLISHED)
def test_settings_are_those_of_the_benchmarks_severity(corruption):
    assert CORRUPTIONS[corruption].apply.keywords == PUBLISHED[corruption]


@pytest.mark.parametrize("corruption", MNIST_C_CORRUPTIONS)
def test_every_corruption_changes_the_images_and_leaves_its_input_alone(digits, corruption):
    before = digits.copy()
    corrupted = corrupt(digits, corruption, seed=0)
    assert corrupted.shape == digits.shape
    assert corrupted.dtype == np.uint8
    assert all((new != old).any() for new, old in zip(corrupted, before, strict=True))
    np.testing.assert_array_equal(digits, before)


@pytest.mark.parametrize("corruption", MNIST_C_CORRUPTIONS)
def test_the_first_images_of_many_equal_a_generation_of_few(digits, corruption):
    # 20 images are several chunks for fog, of four images each, and one chunk for the others.
    everything = corrupt(digits, corruption, seed=3)
    for count in (1, 17):
        np.testing.assert_array_equal(corrupt(digits[:count], corruption, seed=3), everything[:count])


@pytest.mark.parametrize("corruption", RANDOM)
def test_images_and_seeds_have_randomness_of_their_own(digits, corruption):
    same_image = np.repeat(digits[:1], 20, axis=0)
    corrupted = corrupt(same_image, corruption, seed=0)
    assert len({image.tobytes() for image in corrupted}) > 1
    assert (corrupt(same_image, corruption, seed=1) != corrupted).any()
    np.testing.assert_array_equal(corrupt(same_image, corruption, seed=0), corrupted)


def test_the_random_stream_is_pinned():
    """If this fails, cached images are stale: raise PARAMETERS_VERSION. (Impulse noise only compares numbers.)"""
    noise = corrupt(np.full((3, 28, 28), 100, np.uint8), "impulse_noise", seed=0)
    assert hashlib.sha256(noise).hexdigest() == "faa5a8cbe9b1e1bf201147878334886790f91fb63dce33b2e6d4b5d93cdd824f"


def test_no_images_give_no_images():
    empty = np.zeros((0, 28, 28), np.uint8)
    assert all(corrupt(empty, corruption, seed=0).shape == (0, 28, 28) for corruption in MNIST_C_CORRUPTIONS)
