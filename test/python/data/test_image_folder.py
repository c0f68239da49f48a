import warnings
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


def load(folder: Path, max_train_examples: int | None = None, max_test_examples: int | None = None, **chosen):
    return load_image_folder(
        folder, max_train_examples=max_train_examples, max_test_examples=max_test_examples, **chosen
    )


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


def test_chosen_classes_are_read_alone_and_numbered_by_name(folder):
    save(folder / "train/ape/0.png", (7, 0, 0))
    save(folder / "test/ape/0.png", (8, 0, 0))
    # Not even looked at: it has no counterpart.
    save(folder / "train/emu/0.png", (9, 0, 0))
    data = load(folder, classes=["dog", "ape"])
    assert data.num_classes == 2
    assert data.train_images[:, 0, 0, 0].tolist() == [7, 200, 201, 202]
    assert data.train_labels.tolist() == [0, 1, 1, 1]
    assert data.test_images[:, 0, 0, 0].tolist() == [8, 250]


def test_a_class_that_is_not_there_is_named_with_those_that_are(folder):
    with pytest.raises(UserError, match=r"`data\.classes` names cow") as caught:
        load(folder, classes=["cat", "cow"])
    assert caught.value.hint == "there are cat, dog"


@pytest.mark.parametrize(("per_class", "labels"), [(1, [0, 1]), (2, [0, 1, 0, 1]), (9, [0, 1, 0, 1, 1])])
def test_so_many_training_images_of_each_class_are_read_and_all_to_test(folder, per_class, labels):
    data = load(folder, max_train_per_class=per_class)
    assert data.train_labels.tolist() == labels
    assert data.train_images[0, 0, 0, 0] == 100
    assert len(data.test_labels) == 2


def test_gray_images_have_one_channel_and_transparency_is_dropped(tmp_path):
    for split in ("train", "test"):
        for name in "ab":
            save(tmp_path / "gray" / split / name / "0.jpg", 128, (8, 8))
            save(tmp_path / "colour" / split / name / "0.png", (1, 2, 3), mode="RGBA")
    assert load(tmp_path / "gray").train_images.shape == (2, 1, 8, 8)
    assert load(tmp_path / "colour").train_images[0, :, 0, 0].tolist() == [1, 2, 3]


def test_other_files_are_left_out_and_told_and_hidden_ones_are_not(folder):
    for hidden in ("train/dog/.ipynb_checkpoints/0.png", "train/.ipynb_checkpoints/0.png", "train/dog/._0.png"):
        save(folder / hidden, (1, 1, 1))
    for name in ("train/dog/.DS_Store", "train/dog/Thumbs.db", "train/README"):
        (folder / name).write_text("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load(folder).train_images) == 5
    (folder / "train/dog/notes.txt").write_text("x")
    (folder / "train/dog/scan.tiff").write_text("x")
    with pytest.warns(UserWarning, match=r"2 files in .*train/dog are left out, notes\.txt first"):
        assert len(load(folder).train_images) == 5


def test_folders_in_a_class_and_webp_and_bmp_are_read(folder):
    save(folder / "train/dog/more/again/7.png", (210, 0, 0))
    save(folder / "train/dog/8.bmp", (220, 0, 0))
    Image.new("RGB", (4, 3), (230, 0, 0)).save(folder / "train/dog/9.webp", lossless=True)
    reds = load(folder).train_images[:, 0, 0, 0].tolist()
    assert sorted(reds) == [100, 101, 200, 201, 202, 210, 220, 230]


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_of_gray_are_scaled_to_eight(tmp_path, order):
    levels = np.array([[0, 128, 129, 257], [256 * 3, 32768, 65407, 65535]])
    for split in ("train", "test"):
        for name in "ab":
            path = tmp_path / split / name / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(levels.astype(f"{order}u2")).save(path)
    images = load(tmp_path).train_images
    assert images.shape == (2, 1, 2, 4)
    assert images[0, 0].tolist() == [[0, 0, 1, 1], [3, 128, 255, 255]]


def test_sixteen_bits_among_eight_are_read_alike(folder):
    for path in folder.rglob("*.[pP][nN][gG]"):
        Image.new("L", (4, 3), 200).save(path)
    Image.fromarray(np.full((3, 4), 200 * 257, np.uint16)).save(folder / "train/cat/1.png")
    assert load(folder).train_images.unique().tolist() == [200]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_that_are_no_levels_of_brightness_are_refused(folder, mode):
    # Whatever the name says: Pillow goes by the content.
    Image.new(mode, (4, 3), 1).save(folder / "train/cat/1.png", format="TIFF")
    error = load_error(folder)
    assert error.code == "wrong_data"
    assert f"train/cat/1.png has pixels of mode {mode}" in error.message


def test_a_palette_is_looked_up(folder):
    path = folder / "train/cat/1.png"
    Image.new("RGB", (4, 3), (101, 0, 50)).quantize().save(path)
    with Image.open(path) as image:
        assert image.mode == "P"
    assert load(folder).train_images[2, :, 0, 0].tolist() == [101, 0, 50]


def test_images_that_others_would_turn_are_told(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4, 3), (100, 0, 0)).save(folder / "train/cat/1.png", exif=exif)
    with pytest.warns(UserWarning, match=r"1 of 5 images, .*train/cat/1\.png first, are shown turned"):
        load(folder)


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


def test_a_class_written_with_other_characters_is_shown_as_such(folder):
    for split, name in (("train", "caf\u00e9"), ("test", "cafe\u0301")):
        save(folder / split / name / "0.png", (1, 1, 1))
    message = load_error(folder).message
    assert "'cafe\\u0301'" in message
    assert "'caf\\xe9'" in message
