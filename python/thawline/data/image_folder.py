"""Images sorted into folders by class: `train/<class>/*` and `test/<class>/*`, PNG or JPEG, all of one size."""

from __future__ import annotations

import math
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from thawline.data.vision import Normalization, VisionData
from thawline.errors import UserError

JPEG_SUFFIXES = (".jpg", ".jpeg")
SUFFIXES = (".png", *JPEG_SUFFIXES)


def load_image_folder(folder: Path, *, max_train_examples: int | None, max_test_examples: int | None) -> VisionData:
    """Gray (one channel) or colour (three) images; labels number the classes by name.

    Examples take turns by class (the first image of each class, then the second ...), so that a maximum keeps as many
    of one class as of another. Normalization: mean and standard deviation of the training images that are used.
    Raises UserError: `missing_data`, `wrong_data` (classes that differ, images of different sizes or kinds),
    `corrupt_image`.
    """
    classes = _class_names(folder / "train")
    if (test_classes := _class_names(folder / "test")) != classes:
        odd = sorted({*classes} ^ {*test_classes})[0]
        where = "train" if odd in classes else "test"
        raise _wrong_data(f"the class {odd} is in {folder / where} only: train and test need the same classes")
    train_paths, train_labels = _list_examples(folder / "train", classes, max_train_examples)
    test_paths, test_labels = _list_examples(folder / "test", classes, max_test_examples)
    train_images = _read_images(train_paths, like=train_paths[0])
    test_images = _read_images(test_paths, like=train_paths[0])
    normalization = measure_normalization(train_images)
    return VisionData(
        train_images,
        train_labels,
        test_images,
        test_labels,
        len(classes),
        *normalization,
        from_jpeg=any(path.suffix.lower() in JPEG_SUFFIXES for path in test_paths),
    )


def measure_normalization(images: torch.Tensor) -> Normalization:
    """Mean and standard deviation of each channel of uint8 [n, C, H, W], pixels scaled to [0, 1]."""
    mean, std = [], []
    for channel in images.unbind(dim=1):
        # Whole numbers of any size: the sums over millions of pixels are exact, and so is the zero of a constant one.
        counts: list[int] = torch.bincount(channel.flatten(), minlength=256).tolist()
        total = sum(counts)
        first, second = (sum(value**power * count for value, count in enumerate(counts)) for power in (1, 2))
        mean.append(first / total / 255)
        # A constant channel has no deviation to divide by: it is only centred.
        std.append(math.sqrt(total * second - first**2) / total / 255 or 1.0)
    return Normalization(tuple(mean), tuple(std))


def _class_names(split: Path) -> list[str]:
    names = sorted(entry.name for entry in split.iterdir() if entry.is_dir()) if split.is_dir() else []
    if not names:
        raise _missing(f"there is no folder of images by class in {split}")
    return names


def _list_examples(split: Path, classes: list[str], maximum: int | None) -> tuple[list[Path], torch.Tensor]:
    """Paths and labels, the classes taking turns."""
    columns: list[list[tuple[Path, int]]] = []
    for label, name in enumerate(classes):
        paths = sorted(path for path in (split / name).iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise _missing(f"there is no PNG or JPEG image in {split / name}")
        columns.append([(path, label) for path in paths])
    turns = [example for row in zip_longest(*columns) for example in row if example is not None][:maximum]
    return [path for path, _ in turns], torch.tensor([label for _, label in turns], dtype=torch.int64)


def _read_images(paths: list[Path], like: Path) -> torch.Tensor:
    """uint8 [n, C, H, W], each of the same shape as the image `like`."""
    expected = _read_image(like)
    images = np.empty((len(paths), *expected.shape), np.uint8)
    for i, path in enumerate(paths):
        image = _read_image(path)
        if image.shape != expected.shape:
            raise _wrong_data(f"{path} is {_describe(image)}, but {like} is {_describe(expected)}")
        images[i] = image
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def _read_image(path: Path) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """uint8 [H, W, C]: one channel for gray images, three for any others (transparency is dropped)."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            "corrupt_image", f"{path} is not a readable image ({error})", hint="replace the file or remove it"
        ) from error
    return pixels.reshape(*pixels.shape[:2], -1)


def _describe(image: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> str:
    height, width, channels = image.shape
    return f"{width} x {height}, {'gray' if channels == 1 else 'colour'}"


def _missing(message: str) -> UserError:
    return UserError(
        "missing_data", message, hint="Set data.path to a folder with train/<class>/*.png and test/<class>/*.png."
    )


def _wrong_data(message: str) -> UserError:
    return UserError("wrong_data", message, hint="an image folder has the same classes twice, and images of one size")
