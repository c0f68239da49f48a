import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from thawline.data.corruptions import cifar_c
from thawline.data.corruptions.cache import cached_corruption, is_cached
from thawline.data.corruptions.mnist_c import corrupt
from thawline.data.corruptions.recipe import Recipe, Source


def entry(folder: Path) -> tuple[Path, Path]:
    """The .npy and the .json file of a cache with one entry."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert [path.suffix for path in files] == [".json", ".npy"]
    return files[1], files[0]


def fetch(digits: np.ndarray, folder: Path, **options) -> np.ndarray:
    recipe = Recipe("mnist_c", options.get("corruption", "rotate"), None, options.get("seed", 0))
    return cached_corruption(recipe, Source(digits), folder)


def test_the_second_call_reads_what_the_first_one_made(tmp_path, digits):
    made = fetch(digits, tmp_path)
    np.testing.assert_array_equal(made, corrupt(digits, "rotate", seed=0))
    written = [path.stat().st_ino for path in entry(tmp_path)]
    read = fetch(digits, tmp_path)
    np.testing.assert_array_equal(read, made)
    assert [path.stat().st_ino for path in entry(tmp_path)] == written
    assert read.flags.writeable


def test_the_json_file_says_what_the_images_are(tmp_path, digits):
    fetch(digits, tmp_path, seed=5)
    description = json.loads(entry(tmp_path)[1].read_text())
    assert description["corruption"] == "rotate"
    assert (description["seed"], description["count"], description["parameters_version"]) == (5, 20, 1)
    assert len(description["source_sha256"]) == len(description["file_sha256"]) == 64


def test_other_seeds_corruptions_and_images_have_entries_of_their_own(tmp_path, digits):
    for images, options in [(digits, {}), (digits, {"seed": 1}), (digits, {"corruption": "zigzag"}), (digits[:5], {})]:
        fetch(images, tmp_path, **options)
    assert len(list(tmp_path.rglob("*.npy"))) == 4


def test_severities_and_textures_have_entries_of_their_own(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(2, 32, 32, 3), dtype=np.uint8)
    textures = [(np.full((40, 40, 3), grey, np.uint8),) for grey in (10, 90)]
    for severity in (1, 2):
        for texture in textures:
            recipe = Recipe("cifar_c", "frost", severity, 0)
            for _ in range(2):
                made = cached_corruption(recipe, Source(images, texture), tmp_path)
                np.testing.assert_array_equal(made, cifar_c.corrupt(images, "frost", severity, 0, texture))
    assert len(list(tmp_path.rglob("*.npy"))) == 4


def test_what_the_cache_claims_to_have(tmp_path, digits):
    recipe = Recipe("mnist_c", "rotate", None, 0)
    assert not is_cached(recipe, Source(digits), tmp_path)
    fetch(digits, tmp_path)
    assert is_cached(recipe, Source(digits), tmp_path)
    assert not is_cached(recipe, Source(digits[:5]), tmp_path)
    entry(tmp_path)[1].write_text("[]")
    assert not is_cached(recipe, Source(digits), tmp_path)
    entry(tmp_path)[0].unlink()
    assert not is_cached(recipe, Source(digits), tmp_path)


def flip_a_pixel(images: Path, description: Path) -> None:
    content = bytearray(images.read_bytes())
    content[-100] ^= 0xFF
    images.write_bytes(content)


def cut_short(images: Path, description: Path) -> None:
    images.write_bytes(images.read_bytes()[:-1])


def empty_description(images: Path, description: Path) -> None:
    description.write_text("")


def no_description(images: Path, description: Path) -> None:
    description.unlink()


def older_version(images: Path, description: Path) -> None:
    description.write_text(json.dumps({**json.loads(description.read_text()), "parameters_version": 0}))


@pytest.mark.parametrize("damage", [flip_a_pixel, cut_short, empty_description, no_description, older_version])
def test_a_damaged_or_different_entry_is_made_anew(tmp_path, digits, damage):
    made = fetch(digits, tmp_path)
    intact = [path.read_bytes() for path in entry(tmp_path)]
    damage(*entry(tmp_path))
    np.testing.assert_array_equal(fetch(digits, tmp_path), made)
    assert [path.read_bytes() for path in entry(tmp_path)] == intact


def test_processes_agree_and_leave_one_intact_entry(tmp_path, digits):
    def check() -> None:
        np.testing.assert_array_equal(fetch(digits, tmp_path), corrupt(digits, "rotate", seed=0))

    processes = [multiprocessing.get_context("fork").Process(target=check) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    entry(tmp_path)


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, digits):
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()
    with pytest.warns(UserWarning, match="not cached"):
        images = fetch(digits, not_a_folder)
    np.testing.assert_array_equal(images, corrupt(digits, "rotate", seed=0))
