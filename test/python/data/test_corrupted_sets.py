import msgspec
import numpy as np
import pytest
import torch
from example_config import run_config
from PIL import Image

from thawline.config.run import DataConfig, ImageEvaluationConfig
from thawline.data.corrupted_sets import CORRUPTION_SEED, JPEG_TWICE, NO_FROST, open_test_set
from thawline.data.corruptions import cifar_c, mnist_c
from thawline.data.corruptions.cifar_c import CIFAR_C_ALL, CIFAR_C_MAIN
from thawline.data.corruptions.mnist_c import MNIST_C_CORRUPTIONS
from thawline.data.frost_textures import TEXTURE_FILES, find_frost_textures
from thawline.data.vision import VisionData
from thawline.errors import UserError


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("THAWLINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def no_installed_textures(monkeypatch):
    """Whatever is installed here."""
    monkeypatch.setattr("thawline.data.frost_textures.PACKAGE", "no_such_package")


@pytest.fixture
def textures(tmp_path):
    folder = tmp_path / "frost"
    folder.mkdir()
    for number, name in enumerate(TEXTURE_FILES):
        Image.new("RGB", (200, 200), (20 * number, 80, 90)).save(folder / name)
    return folder


def images_of(num_images, channels, side, from_jpeg=False):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (num_images, channels, side, side), dtype=torch.uint8, generator=generator)
    labels = torch.arange(num_images) % 10
    return VisionData(images, labels, images, labels, 10, (0.5,) * channels, (0.2,) * channels, from_jpeg)


def opened(data, kind="cifar10", num_processes=1, **evaluate):
    config = run_config(evaluate=evaluate, data={"kind": kind})
    return open_test_set(
        msgspec.convert(config["evaluate"], ImageEvaluationConfig),
        msgspec.convert(config["data"], DataConfig),
        data,
        num_processes=num_processes,
    )


def test_there_may_be_none():
    assert opened(images_of(2, 3, 32), ood="none") is None


def test_mnist_c_is_regenerated_from_the_first_images(tmp_path):
    data = images_of(6, 1, 28)
    test_set = opened(data, kind="mnist", ood="mnist_c", images_per_corruption=4)
    assert (test_set.corruptions, test_set.severities) == (MNIST_C_CORRUPTIONS, (1,))
    assert (test_set.num_images, test_set.regenerated, test_set.left_out) == (4, True, {})
    expected = mnist_c.corrupt(data.test_images[:4, 0].numpy(), "zigzag", CORRUPTION_SEED)
    np.testing.assert_array_equal(test_set.load("zigzag", 1)[:, 0], expected)
    assert list((tmp_path / "cache").rglob("*.npy")) != []


def test_cifar_c_is_regenerated_at_five_severities(textures):
    data = images_of(3, 3, 32)
    test_set = opened(data, ood="cifar_c", corruptions="all", frost_textures=str(textures))
    assert (test_set.corruptions, test_set.severities) == (CIFAR_C_ALL, (1, 2, 3, 4, 5))
    clean = data.test_images.permute(0, 2, 3, 1).numpy()
    for name, severity in [("contrast", 2), ("frost", 5), ("saturate", 1)]:
        expected = cifar_c.corrupt(clean, name, severity, CORRUPTION_SEED, find_frost_textures(textures).pictures)
        loaded = test_set.load(name, severity)
        assert loaded.is_contiguous()
        np.testing.assert_array_equal(loaded.permute(0, 2, 3, 1), expected)


def test_without_textures_frost_is_left_out_and_that_is_said():
    test_set = opened(images_of(2, 3, 32), ood="cifar_c")
    assert test_set.corruptions == tuple(name for name in CIFAR_C_MAIN if name != "frost")
    assert test_set.left_out == {"frost": NO_FROST}
    assert test_set.made_with == {}


def test_of_jpeg_images_jpeg_compression_is_made_but_left_out_of_the_mean(textures):
    test_set = opened(
        images_of(2, 3, 32, from_jpeg=True), kind="image_folder", ood="cifar_c", frost_textures=str(textures)
    )
    assert test_set.corruptions == CIFAR_C_MAIN
    assert test_set.left_out == {"jpeg_compression": JPEG_TWICE}
    assert test_set.made_with == {"frost": find_frost_textures(textures).provenance}


def test_images_that_cifar_c_does_not_fit_are_refused_at_once():
    for data in (images_of(2, 3, 28), images_of(2, 1, 32)):
        with pytest.raises(UserError, match="corruptions of 32 x 32 colour images, but the test images are"):
            opened(data, kind="image_folder", ood="cifar_c")


def test_everything_can_be_made_ahead(tmp_path, textures):
    test_set = opened(images_of(2, 3, 32), ood="cifar_c", frost_textures=str(textures))
    *_, last = test_set.make_ahead(lambda: False)
    assert last == (75, 75)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 75
    assert list(opened(images_of(2, 3, 32), ood="cifar_c", frost_textures=str(textures)).make_ahead(lambda: False)) == [
        (0, 0)
    ]


def test_published_files_are_read_and_not_regenerated(tmp_path):
    data = images_of(3, 3, 32)
    for number, name in enumerate(CIFAR_C_MAIN):
        np.save(
            tmp_path / f"{name}.npy",
            np.arange(15, dtype=np.uint8)[:, None, None, None] + np.zeros((32, 32, 3), np.uint8) + number,
        )
    np.save(tmp_path / "labels.npy", np.tile(np.arange(3), 5))
    test_set = opened(data, ood="cifar_c", ood_path=str(tmp_path), images_per_corruption=2)
    assert (test_set.corruptions, test_set.num_images, test_set.regenerated) == (CIFAR_C_MAIN, 2, False)
    assert test_set.load("shot_noise", 3)[:, 0, 0, 0].tolist() == [7, 8]
    assert list(test_set.make_ahead(lambda: False)) == []
    (tmp_path / "fog.npy").unlink()
    with pytest.raises(UserError, match=r"lacks fog\.npy"):
        opened(data, ood="cifar_c", ood_path=str(tmp_path))


@pytest.mark.parametrize(
    ("kind", "title", "record"), [("cifar10", "CIFAR-10-C", "2535967"), ("cifar100", "CIFAR-100-C", "3555552")]
)
def test_each_cifar_has_published_files_of_its_own(tmp_path, kind, title, record):
    for number, folder in enumerate(["CIFAR-10-C", "CIFAR-100-C"]):
        (tmp_path / folder).mkdir()
        for name in CIFAR_C_MAIN:
            np.save(tmp_path / folder / f"{name}.npy", np.full((15, 32, 32, 3), number, np.uint8))
        np.save(tmp_path / folder / "labels.npy", np.tile(np.arange(3), 5))
    test_set = opened(images_of(3, 3, 32), kind=kind, ood="cifar_c", ood_path=str(tmp_path))
    assert test_set.load("fog", 1).unique().tolist() == [["cifar10", "cifar100"].index(kind)]
    (tmp_path / title / "fog.npy").unlink()
    with pytest.raises(UserError, match=rf"the {title} folder .* lacks fog\.npy") as caught:
        opened(images_of(3, 3, 32), kind=kind, ood="cifar_c", ood_path=str(tmp_path))
    assert f"Zenodo record {record}" in caught.value.hint


def test_the_published_mnist_c_has_one_severity(tmp_path):
    data = images_of(3, 1, 28)
    for name in MNIST_C_CORRUPTIONS:
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "test_images.npy", 255 - data.test_images.permute(0, 2, 3, 1).numpy())
        np.save(tmp_path / name / "test_labels.npy", np.arange(3))
    test_set = opened(data, kind="mnist", ood="mnist_c", ood_path=str(tmp_path))
    assert (test_set.severities, test_set.regenerated) == ((1,), False)
    assert torch.equal(test_set.load("fog", 1), 255 - data.test_images)
