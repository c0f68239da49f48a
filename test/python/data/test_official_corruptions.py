"""On small files of the published layouts."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from thawline.data.cifar_c_checksums import CIFAR10_C_MD5, CIFAR100_C_MD5
from thawline.data.corruptions.cifar_c import CIFAR_C_ALL
from thawline.data.official_corruptions import CIFAR10_C, open_cifar_c, open_mnist_c
from thawline.errors import UserError

NUMBERS = np.random.default_rng(0)
LABELS = np.array([3, 1, 4, 1])
DIGITS = NUMBERS.integers(256, size=(4, 28, 28), dtype=np.uint8)


@pytest.fixture
def mnist_c(tmp_path):
    for number, name in enumerate(["identity", "fog", "zigzag"]):
        folder = tmp_path / "mnist_c" / name
        folder.mkdir(parents=True)
        np.save(folder / "test_images.npy", (DIGITS + number)[..., None])
        np.save(folder / "test_labels.npy", LABELS.astype(np.int32))
    return tmp_path


@pytest.fixture
def cifar_c(tmp_path):
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    for number, name in enumerate(["fog", "frost"]):
        blocks = [np.full((4, 32, 32, 3), 10 * severity + number, np.uint8) for severity in range(1, 6)]
        np.save(folder / f"{name}.npy", np.concatenate(blocks))
    np.save(folder / "labels.npy", np.tile(LABELS.astype(np.uint8), 5))
    return tmp_path


def read_mnist_c(path, corruptions=("fog", "zigzag"), images=DIGITS, labels=LABELS, verify=False):
    return open_mnist_c(path, corruptions, images, labels, verify=verify)


def read_cifar_c(path, corruptions=("fog", "frost"), labels=LABELS, verify=False, published=CIFAR10_C):
    return open_cifar_c(path, published, corruptions, labels, verify=verify)


def refusal(read, path, **options):
    with pytest.raises(UserError) as caught:
        read(path, **options)
    return caught.value


@pytest.mark.parametrize("inside", [False, True])
def test_mnist_c_is_found_in_its_folder_or_beside_it(mnist_c, inside):
    found = read_mnist_c(mnist_c / "mnist_c" if inside else mnist_c)
    assert list(found) == ["fog", "zigzag"]
    np.testing.assert_array_equal(found["fog"], [DIGITS + 1])


@pytest.mark.parametrize("inside", [False, True])
def test_cifar_c_holds_one_severity_after_the_other(cifar_c, inside):
    found = read_cifar_c(cifar_c / "CIFAR-10-C" if inside else cifar_c)
    assert [int(block[0, 0, 0, 0]) for block in found["frost"]] == [11, 21, 31, 41, 51]
    assert all(block.shape == (4, 32, 32, 3) and (block == block[0, 0, 0, 0]).all() for block in found["frost"])
    assert isinstance(found["fog"][0], np.memmap)


def test_fewer_clean_images_are_the_first_of_each_severity(mnist_c, cifar_c):
    read_mnist_c(mnist_c, images=DIGITS[:2], labels=LABELS[:2])
    read_cifar_c(cifar_c, labels=LABELS[:2])
    assert (
        "has 4 images a severity, the clean test set 5" in refusal(read_cifar_c, cifar_c, labels=np.arange(5)).message
    )


def test_all_missing_files_and_the_record_are_named(mnist_c, cifar_c):
    error = refusal(read_cifar_c, cifar_c, corruptions=("fog", "snow", "pixelate"))
    assert error.code == "missing_data"
    assert error.message.endswith("lacks snow.npy, pixelate.npy")
    assert "Zenodo record 2535967" in error.hint
    (mnist_c / "mnist_c/fog/test_labels.npy").unlink()
    error = refusal(read_mnist_c, mnist_c, corruptions=("fog", "rotate"))
    assert error.message.endswith("lacks fog/test_labels.npy, rotate/test_images.npy, rotate/test_labels.npy")
    assert "Zenodo record 3239543" in error.hint


def test_labels_must_be_those_of_the_clean_images(mnist_c, cifar_c):
    other = np.array([3, 1, 4, 7])
    for read, path in [(read_mnist_c, mnist_c), (read_cifar_c, cifar_c)]:
        error = refusal(read, path, labels=other)
        assert error.code == "wrong_data"
        assert error.message.endswith("has the label 1 where test image 3 has 7")


def test_labels_of_every_severity_are_looked_at(cifar_c):
    labels = np.tile(LABELS, 5)
    labels[-1] = 9
    np.save(cifar_c / "CIFAR-10-C/labels.npy", labels)
    assert refusal(read_cifar_c, cifar_c).message.endswith("has the label 9 where test image 3 has 1")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((20, 32, 32, 3), np.float32),
        np.zeros((20, 3, 32, 32), np.uint8),
        np.zeros((0, 32, 32, 3), np.uint8),
        np.zeros((21, 32, 32, 3), np.uint8),
        np.uint8(3),
    ],
)
def test_arrays_of_another_form_are_refused(cifar_c, array):
    np.save(cifar_c / "CIFAR-10-C/frost.npy", array)
    error = refusal(read_cifar_c, cifar_c)
    assert error.code == "wrong_data"
    assert "frost.npy" in error.message


@pytest.mark.parametrize("labels", [np.zeros(19, int), np.zeros((20, 1), int), np.zeros(20, float)])
def test_labels_of_another_form_are_refused(cifar_c, labels):
    np.save(cifar_c / "CIFAR-10-C/labels.npy", labels)
    assert "not one whole number for each of 20 images" in refusal(read_cifar_c, cifar_c).message


def test_a_damaged_file_is_named(cifar_c):
    (cifar_c / "CIFAR-10-C/fog.npy").write_text("no array")
    assert refusal(read_cifar_c, cifar_c).code == "corrupt_npy"


def test_verified_files_have_ten_thousand_images(mnist_c, cifar_c):
    for read, path in [(read_mnist_c, mnist_c), (read_cifar_c, cifar_c)]:
        assert "has 4 images a severity, not 10000" in refusal(read, path, verify=True).message


def test_verified_files_have_the_published_md5(cifar_c, monkeypatch):
    monkeypatch.setattr("thawline.data.official_corruptions.NUM_TEST_IMAGES", 4)
    folder = cifar_c / "CIFAR-10-C"
    checksums = {path.stem: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    read_cifar_c(cifar_c, verify=True, published=replace(CIFAR10_C, checksums=checksums))
    for stem in checksums:
        published = replace(CIFAR10_C, checksums={**checksums, stem: "0" * 32})
        error = refusal(read_cifar_c, cifar_c, verify=True, published=published)
        assert error.code == "checksum_mismatch"
        assert f"{stem}.npy is not the published CIFAR-10-C file" in error.message


def test_a_verified_mnist_c_has_the_clean_images_as_its_identity(mnist_c, monkeypatch):
    monkeypatch.setattr("thawline.data.official_corruptions.NUM_TEST_IMAGES", 4)
    read_mnist_c(mnist_c, verify=True)
    np.save(mnist_c / "mnist_c/identity/test_images.npy", (DIGITS ^ 1)[..., None])
    assert refusal(read_mnist_c, mnist_c, verify=True).message.endswith("is not the clean test set")
    read_mnist_c(mnist_c, verify=False)


@pytest.mark.parametrize("checksums", [CIFAR10_C_MD5, CIFAR100_C_MD5])
def test_every_published_file_has_a_checksum_of_its_own(checksums):
    assert set(checksums) == {*CIFAR_C_ALL, "labels"}
    assert len({*CIFAR10_C_MD5.values(), *CIFAR100_C_MD5.values()}) == 40
    assert all(len(md5) == 32 for md5 in checksums.values())
