from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thawline.data.image_folder import load_image_folder, measure_normalization
from thawline.errors import UserError


def save(
    path: Path, colour: tuple[int, int, int] | int, size: tuple[int, int] = (4, 3), mode: str | None = None
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode or ("L" if isinstance(colour, int) else "RGB"), size, colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes: three dogs and two cats to train on (their red says which), one of each to test."""
    for i in range(3):
        save(tmp_path / f"train/dog/{i}.png", (200 + i, 0, 0))
    for i in range(2):
        save(tmp_path / f"train/cat/{i}.png", (100 + i, 0, 50))
    save(tmp_path / "test/dog/x.png", (250, 0, 0))
    save(tmp_path / "test/cat/y.PNG", (150, 0, 0))
    return tmp_path


def load(folder: Path, max_train_examples: int | None = None, max_test_examples: int | None = None):
    return load_image_folder(folder, max_train_examples=max_train_examples, max_test_examples=max_test_examples)


def test_jpeg_among_the_test_images_is_told(folder):
    save(folder / "train/dog/9.jpg", (200, 0, 0))
    assert not load(folder).from_jpeg
    save(folder / "test/dog/z.JPEG", (200, 0, 0))
    assert load(folder).from_jpeg
    assert not load(folder, max_test_examples=2).from_jpeg


def load_error(folder: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        load(folder)
    return caught.value


def test_classes_are_numbered_by_name_and_take_turns(folder):
    data = load(folder)
    assert (data.train_images.shape, data.train_images.dtype) == ((5, 3, 3, 4), torch.uint8)
    assert data.train_images[:, 0, 0, 0].tolist() == [100, 200, 101, 201, 202]
    assert (data.train_labels.tolist(), data.train_labels.dtype) == ([0, 1, 0, 1, 1], torch.int64)
    assert data.test_images[:, 0, 0, 0].tolist() == [150, 250]
    assert data.num_classes == 2


def test_a_maximum_keeps_as_many_of_each_class(folder):
    data = load(folder, max_train_examples=4, max_test_examples=1)
    assert data.train_labels.tolist() == [0, 1, 0, 1]
    assert data.test_labels.tolist() == [0]


def test_gray_images_have_one_channel_and_transparency_is_dropped(tmp_path):
    for split in ("train", "test"):
        save(tmp_path / "gray" / split / "a" / "0.jpg", 128, (8, 8))
        save(tmp_path / "colour" / split / "a" / "0.png", (1, 2, 3), mode="RGBA")
    assert load(tmp_path / "gray").train_images.shape == (1, 1, 8, 8)
    assert load(tmp_path / "colour").train_images[0, :, 0, 0].tolist() == [1, 2, 3]


def test_other_files_are_left_out(folder):
    (folder / "train/dog/notes.txt").write_text("x")
    (folder / "train/README").write_text("x")
    assert len(load(folder).train_images) == 5


def test_normalization_is_that_of_the_training_images(folder):
    data = load(folder, max_train_examples=2)
    pixels = data.train_images.double() / 255
    assert data.mean == pytest.approx(pixels.mean(dim=(0, 2, 3)).tolist())
    assert data.std[0] == pytest.approx(pixels[:, 0].std(correction=0).item())


def test_the_measured_normalization_standardises_and_spares_constant_channels():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 2, 5, 5)).astype(np.uint8))
    images[:, 1] = 7
    mean, std = measure_normalization(images)
    scale = torch.tensor([mean, std], dtype=torch.float64)[:, :, None, None]
    standardised = (images.double() / 255 - scale[0]) / scale[1]
    assert standardised.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-9)
    assert standardised[:, 0].std(correction=0).item() == pytest.approx(1)
    assert std[1] == 1


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"train/dog/9.png": ((1, 1, 1), (4, 4))}, "wrong_data", "train/dog/9.png is 4 x 4, colour"),
        ({"test/cat/z.png": (7, (4, 3))}, "wrong_data", "test/cat/z.png is 4 x 3, gray"),
        ({"train/bird/0.png": ((1, 1, 1), (4, 3))}, "wrong_data", "the class bird"),
        ({"test/bird/0.png": ((1, 1, 1), (4, 3))}, "wrong_data", "the class bird"),
    ],
)
def test_images_and_classes_that_do_not_belong_together_are_named(folder, changes, code, named):
    for path, (colour, size) in changes.items():
        save(folder / path, colour, size)
    error = load_error(folder)
    assert error.code == code
    assert named in error.message


def test_a_damaged_image_is_named(folder):
    whole = (folder / "train/cat/1.png").read_bytes()
    for content in (b"no image", whole[: len(whole) // 2]):
        (folder / "train/cat/1.png").write_bytes(content)
        error = load_error(folder)
        assert error.code == "corrupt_image"
        assert "train/cat/1.png" in error.message


def test_what_is_missing_is_named(tmp_path, folder):
    assert "train" in load_error(tmp_path / "nowhere").message
    (folder / "test/cat/y.PNG").unlink()
    error = load_error(folder)
    assert error.code == "missing_data"
    assert "test/cat" in error.message
