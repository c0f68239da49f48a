import dataclasses
import hashlib
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from thawline.data.cifar import CIFAR10, CIFAR100, Cifar, load_cifar
from thawline.errors import UserError

RED_GREEN_BLUE = np.repeat(np.eye(3, dtype=np.uint8) * 255, 1024, axis=1)  # [3, 3072]: one image of each colour


def rows(num_images: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num_images, 3072)).astype(np.uint8)


def python2_batch(data: np.ndarray, labels: list[int]) -> bytes:
    """What Python 2's cPickle writes in protocol 2, from the description of its opcodes: texts are byte strings."""

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<i", len(value)) + value

    shape = b"".join(b"J" + struct.pack("<i", side) for side in data.shape) + b"\x86"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    state = b"(K\x01" + shape + dtype + b"\x89" + text(data.tobytes()) + b"tb"
    numbers = b"](" + b"".join(bytes((0x4B, label)) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + state + text(b"labels") + numbers + b"u."


def batch(data: np.ndarray, labels: list[int], key: str = "labels") -> bytes:
    return pickle.dumps({"data": data, key: labels, "filenames": ["a.png"], "batch_label": "x"}, protocol=2)


@pytest.fixture
def cifar10_files() -> dict[str, bytes]:
    """Two images in each training file, of which the labels are the file's number twice, and three for testing."""
    train = {f"data_batch_{i}": batch(rows(2, seed=i), [i, i]) for i in range(1, 6)}
    return train | {"test_batch": batch(RED_GREEN_BLUE, [0, 1, 9]), "batches.meta": b"never read"}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def load(path: Path, cifar: Cifar = CIFAR10, **options: Any):
    defaults = {"verify_checksums": False, "max_train_examples": None, "max_test_examples": None}
    return load_cifar(path, cifar, **(defaults | options))


def load_error(path: Path, cifar: Cifar = CIFAR10, **options: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        load(path, cifar, **options)
    return caught.value


def test_files_are_joined_in_order(tmp_path, cifar10_files):
    data = load(write(tmp_path, cifar10_files))
    assert (data.train_images.shape, data.train_images.dtype) == ((10, 3, 32, 32), torch.uint8)
    assert (data.train_labels.tolist(), data.train_labels.dtype) == ([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], torch.int64)
    assert torch.equal(data.train_images[2:4].flatten(1), torch.from_numpy(rows(2, seed=2)))
    assert data.num_classes == 10
    assert data.mean == (0.4914, 0.4822, 0.4465)


def test_channels_are_red_green_blue_and_rows_come_before_columns(tmp_path, cifar10_files):
    picture = np.zeros((3, 32, 32), np.uint8)
    picture[1, 5, 7] = 200
    files = cifar10_files | {"data_batch_1": batch(picture.reshape(1, 3072), [0])}
    data = load(write(tmp_path, files))
    for colour in range(3):
        image = data.test_images[colour]
        assert [int(channel.float().mean()) for channel in image] == [255 * (colour == i) for i in range(3)]
    assert data.train_images[0].nonzero().tolist() == [[1, 5, 7]]


def test_files_of_python_2_and_with_byte_keys_are_the_same_data(tmp_path, cifar10_files):
    expected = load(write(tmp_path / "expected", cifar10_files))
    keyed = pickle.dumps({b"data": rows(2, seed=2), b"labels": [2, 2]}, protocol=2)
    old = cifar10_files | {"data_batch_1": python2_batch(rows(2, seed=1), [1, 1]), "data_batch_2": keyed}
    data = load(write(tmp_path / "old", old))
    assert torch.equal(data.train_images, expected.train_images)
    assert torch.equal(data.train_labels, expected.train_labels)


@pytest.mark.parametrize("compression", ["gz", ""])
def test_an_archive_is_read_without_unpacking(tmp_path, cifar10_files, compression):
    folder = write(tmp_path / CIFAR10.folder, cifar10_files)
    expected = load(folder)
    archive = tmp_path / "elsewhere" / CIFAR10.archive
    archive.parent.mkdir()
    with tarfile.open(archive, f"w:{compression}") as tar:
        tar.add(folder, CIFAR10.folder)
    for path in (archive, archive.parent, tmp_path):
        assert torch.equal(load(path).train_images, expected.train_images)


def test_cifar100_has_the_fine_labels(tmp_path):
    content = {"data": rows(2), "fine_labels": [99, 3], "coarse_labels": [1, 2]}
    files = {name: pickle.dumps(content, protocol=2) for name in ("train", "test")}
    data = load(write(tmp_path, files), CIFAR100, max_test_examples=1)
    assert (data.train_labels.tolist(), data.test_labels.tolist(), data.num_classes) == ([99, 3], [99], 100)


def test_a_maximum_keeps_the_first_examples(tmp_path, cifar10_files):
    data = load(write(tmp_path, cifar10_files), max_train_examples=3, max_test_examples=1)
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([1, 1, 2], [0])
    assert (len(data.train_images), len(data.test_images)) == (3, 1)


def test_checksums_are_compared_when_wanted(tmp_path, cifar10_files):
    folder = write(tmp_path, cifar10_files)
    error = load_error(folder, verify_checksums=True)
    assert error.code == "checksum_mismatch"
    assert "data_batch_1" in error.message
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in cifar10_files.items()}
    known = dataclasses.replace(
        CIFAR10, train={name: md5[name] for name in CIFAR10.train}, test={"test_batch": md5["test_batch"]}
    )
    assert len(load(folder, known, verify_checksums=True).train_labels) == 10


def test_what_is_missing_is_named_with_its_source(tmp_path, cifar10_files):
    for path in (tmp_path, tmp_path / "nowhere"):
        error = load_error(path)
        assert error.code == "missing_data"
        assert str(path) in error.message
        assert "cifar-10-python.tar.gz" in error.hint
        assert "https://www.cs.toronto.edu/~kriz/cifar.html" in error.hint
    del cifar10_files["test_batch"]
    assert "test_batch" in load_error(write(tmp_path, cifar10_files)).message
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(tmp_path / "data_batch_1", "data_batch_1")
    message = load_error(tmp_path / "other.tar").message
    assert message.endswith("lacks data_batch_2, data_batch_3, data_batch_4, data_batch_5, test_batch")


@pytest.mark.parametrize("content", [b"no archive", b"\x1f\x8bcut"])
def test_a_damaged_archive_is_a_user_error(tmp_path, content):
    (tmp_path / CIFAR10.archive).write_bytes(content)
    error = load_error(tmp_path / CIFAR10.archive)
    assert error.code == "corrupt_archive"
    assert CIFAR10.archive in error.message


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (pickle.dumps(print), "corrupt_cifar", "asks for builtins.print"),
        (b"\x80\x02}", "corrupt_cifar", "cannot be read"),
        (pickle.dumps([1]), "wrong_data", "no dict"),
        (batch(rows(2)[:, :3000], [0, 1]), "wrong_data", "[2, 3000]"),
        (python2_batch(rows(0), []), "wrong_data", "[0, 3072]"),
        (pickle.dumps({"labels": [1]}), "wrong_data", "NoneType"),
        (batch(rows(2), [0]), "wrong_data", "2 images but 1 labels"),
        (batch(rows(1), [10]), "wrong_data", "the label 10"),
        (batch(rows(1), ["cat"]), "wrong_data", "the label 'cat'"),  # type: ignore[list-item]
        (batch(rows(1), [0], key="fine_labels"), "wrong_data", "no list `labels`"),
    ],
)
def test_other_content_is_a_user_error(tmp_path, cifar10_files, content, code, reason):
    error = load_error(write(tmp_path, cifar10_files | {"data_batch_3": content}))
    assert error.code == code
    assert "data_batch_3" in error.message
    assert reason in error.message
