"""Images sorted into folders by class: `train/<class>/` and `test/<class>/`, and what is in them, all of one size."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from unicodedata import normalize

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from thawline.data.vision import Normalization, VisionData
from thawline.errors import UserError, visible

JPEG_SUFFIXES = (".jpg", ".jpeg")
SUFFIXES = (".png", ".bmp", ".webp", *JPEG_SUFFIXES)
# How a file of 16 bits a pixel opens, by the order of its bytes; Pillow before 10.3 opened them as mode "I".
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
EIGHT_BITS = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV")
LEFT_BY_WINDOWS = ("Thumbs.db", "desktop.ini")
# Classes that a person is told of.
_NAMED = 12
EXIF_ORIENTATION, UPRIGHT = 0x0112, 1


Pixels = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
"""uint8 [H, W, C]"""


def load_image_folder(
    folder: Path,
    *,
    max_train_examples: int | None,
    max_test_examples: int | None,
    classes: Sequence[str] | None = None,
    max_train_per_class: int | None = None,
) -> VisionData:
    """Gray (one channel) or colour (three) images; labels number the classes by name.

    With `classes` only these are read, whatever their order; the first `max_train_per_class` training images of each.

    Each class's folder is read with the folders in it; what is hidden (`.ipynb_checkpoints`, `._0.png`) is left out.
    Gray of 16 bits is scaled to 8. Files of other kinds and images that their EXIF data would turn are told in one
    warning each. Examples take turns by class (the first image of each class, then the second ...), so that a maximum
    keeps as many of one class as of another. Normalization: mean and standard deviation of the training images that
    are used.
    Raises UserError: `missing_data`, `wrong_data` (classes that differ, images of different sizes or
    kinds, pixels that are no levels of brightness), `corrupt_image`.
    """
    names = _class_names(folder / "train", classes)
    if (test_names := _class_names(folder / "test", classes)) != names:
        odd = sorted({*names} ^ {*test_names})[0]
        where, others = ("train", test_names) if odd in names else ("test", names)
        alike = [name for name in others if normalize("NFC", name) == normalize("NFC", odd)]
        if alike:
            raise _wrong_data(
                f"the class {odd!a} is in {folder / where} only, and {alike[0]!a} in the other folder: the same "
                "letters, of other characters"
            )
        raise _wrong_data(f"the class {visible(odd)} is in {folder / where} only: train and test need the same classes")
    train_paths, train_labels = _list_examples(folder / "train", names, max_train_examples, max_train_per_class)
    test_paths, test_labels = _list_examples(folder / "test", names, max_test_examples)
    train_images = _read_images(train_paths, like=train_paths[0])
    test_images = _read_images(test_paths, like=train_paths[0])
    normalization = measure_normalization(train_images)
    return VisionData(
        train_images,
        train_labels,
        test_images,
        test_labels,
        len(names),
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


def _class_names(split: Path, chosen: Sequence[str] | None) -> list[str]:
    """Of the folders in `split`, those that are `chosen`, by name; None: all."""
    entries = split.iterdir() if split.is_dir() else ()
    names = sorted(entry.name for entry in entries if entry.is_dir() and not _is_hidden(entry.name))
    if not names:
        raise _missing(f"there is no folder of images by class in {split}")
    if chosen is None:
        return names
    if lacking := [name for name in chosen if name not in names]:
        shown = ", ".join(visible(name) for name in names[:_NAMED])
        raise UserError(
            "missing_data",
            f"`data.classes` names {visible(lacking[0])}, of which there is no folder in {split}",
            hint=f"there are {shown}{', ...' if len(names) > _NAMED else ''}",
        )
    return sorted(chosen)


def _list_examples(
    split: Path, classes: list[str], maximum: int | None, per_class: int | None = None
) -> tuple[list[Path], torch.Tensor]:
    """Paths and labels, the classes taking turns."""
    columns: list[list[tuple[Path, int]]] = []
    for label, name in enumerate(classes):
        paths = _images_in(split / name)
        if not paths:
            raise _missing(f"there is no PNG, JPEG, WebP or BMP image in {split / name}")
        columns.append([(path, label) for path in paths[:per_class]])
    turns = [example for row in zip_longest(*columns) for example in row if example is not None][:maximum]
    return [path for path, _ in turns], torch.tensor([label for _, label in turns], dtype=torch.int64)


def _images_in(folder: Path) -> list[Path]:
    """Also in the folders below; a warning counts what is neither an image that can be read nor hidden."""
    seen = sorted(parts for parts in _files_in(str(folder)) if not any(map(_is_hidden, parts)))
    images = [parts for parts in seen if os.path.splitext(parts[-1])[1].lower() in SUFFIXES]
    if left_out := [*{*seen} - {*images}]:
        warnings.warn(
            f"{len(left_out)} files in {visible(str(folder))} are left out, {visible(min(left_out)[-1])} first: "
            f"images are {', '.join(SUFFIXES)}",
            stacklevel=2,
        )
    return [folder.joinpath(*parts) for parts in images]


def _files_in(folder: str, parts: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Names from `folder` down. Without a `Path` for each, whose comparisons are half of what reading images takes."""
    try:
        entries = list(os.scandir(folder))
    except PermissionError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_in(entry.path, (*parts, entry.name))
        elif entry.is_file():
            yield (*parts, entry.name)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in LEFT_BY_WINDOWS


def _read_images(paths: list[Path], like: Path) -> torch.Tensor:
    """uint8 [n, C, H, W], each of the same shape as the image `like`."""
    expected, _ = _read_image(like)
    images = np.empty((len(paths), *expected.shape), np.uint8)
    turned = []
    for i, path in enumerate(paths):
        image, is_upright = _read_image(path)
        if not is_upright:
            turned.append(path)
        if image.shape != expected.shape:
            raise _wrong_data(f"{path} is {_describe(image)}, but {like} is {_describe(expected)}")
        images[i] = image
    if turned:
        warnings.warn(
            f"{len(turned)} of {len(paths)} images, {visible(str(turned[0]))} first, are shown turned by other "
            "programs (EXIF orientation); here they are read as they are stored",
            stacklevel=2,
        )
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def _read_image(path: Path) -> tuple[Pixels, bool]:
    """The pixels, and whether they are stored upright. One channel for gray, three for others, without transparency."""
    try:
        with Image.open(path) as image:
            pixels = _pixels_of(image, path)
            is_upright = image.getexif().get(EXIF_ORIENTATION, UPRIGHT) == UPRIGHT
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            "corrupt_image", f"{path} is not a readable image ({error})", hint="replace the file or remove it"
        ) from error
    return pixels.reshape(*pixels.shape[:2], -1), is_upright


def _pixels_of(image: Image.Image, path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Raises UserError `wrong_data` for numbers of which nobody says what is white."""
    if image.mode in SIXTEEN_BITS or (image.mode == "I" and image.format == "PNG"):
        # 65535 becomes 255, and what came from 8 bits is as it was.
        return np.round(np.asarray(image).astype(np.uint16) / 257).astype(np.uint8)
    if image.mode not in EIGHT_BITS:
        raise _wrong_data(f"{path} has pixels of mode {image.mode}, which are no levels of brightness from 0 to 255")
    return np.asarray(image if image.mode == "L" else image.convert("RGB"), np.uint8)


def _describe(image: Pixels) -> str:
    height, width, channels = image.shape
    return f"{width} x {height}, {'gray' if channels == 1 else 'colour'}"


def _missing(message: str) -> UserError:
    return UserError(
        "missing_data", message, hint="Set data.path to a folder with train/<class>/*.png and test/<class>/*.png."
    )


def _wrong_data(message: str) -> UserError:
    return UserError("wrong_data", message, hint="an image folder has the same classes twice, and images of one size")
