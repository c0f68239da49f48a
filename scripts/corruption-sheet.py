"""Draws a contact sheet: the same few images under every corruption of a benchmark.

    PYTHONPATH=python python scripts/corruption-sheet.py cifar_c IMAGES_FOLDER docs/images/cifar-c.png
    PYTHONPATH=python python scripts/corruption-sheet.py mnist_c MNIST_FOLDER docs/images/mnist-c.png

IMAGES_FOLDER holds 32 x 32 images as train/<class>/ and test/<class>/, MNIST_FOLDER the four IDX files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from thawline.data.corruptions import cifar_c, mnist_c
from thawline.data.corruptions.conventions import Images
from thawline.data.frost_textures import find_frost_textures
from thawline.data.image_folder import load_image_folder
from thawline.data.mnist import load_mnist

NUM_IMAGES = 6
ENLARGEMENT = 2
SEVERITY = 4
SEED = 0
GAP = 4
LABEL_WIDTH = 112
SHEET_COLUMNS = 2

Row = tuple[str, Images]


def cifar_rows(folder: Path, textures: Path | None) -> list[Row]:
    data = load_image_folder(folder, max_train_examples=1, max_test_examples=NUM_IMAGES)
    images = data.test_images.permute(0, 2, 3, 1).numpy()
    found = find_frost_textures(textures)
    frost = found and found.pictures
    shown = [name for name in cifar_c.CIFAR_C_ALL if name != "frost" or frost]
    return [("clean", images), *((name, cifar_c.corrupt(images, name, SEVERITY, SEED, frost)) for name in shown)]


def mnist_rows(folder: Path) -> list[Row]:
    data = load_mnist(folder, verify_checksums=True, max_train_examples=1, max_test_examples=NUM_IMAGES)
    images = data.test_images.squeeze(1).numpy()
    return [("clean", images), *((name, mnist_c.corrupt(images, name, SEED)) for name in mnist_c.MNIST_C_CORRUPTIONS)]


def draw(rows: list[Row]) -> Image.Image:
    """A row for each corruption, its name before the images; in two columns, filled from top to bottom."""
    side = rows[0][1].shape[1] * ENLARGEMENT
    row_width, row_height = LABEL_WIDTH + NUM_IMAGES * (side + GAP), side + GAP
    down = -(-len(rows) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (SHEET_COLUMNS * row_width + GAP, down * row_height + GAP), "white")
    labels = ImageDraw.Draw(sheet)
    for number, (name, images) in enumerate(rows):
        column, row = divmod(number, down)
        x, y = GAP + column * row_width, GAP + row * row_height
        labels.text((x, y + side // 2 - 6), name, fill="black")
        for place, image in enumerate(images):
            enlarged = Image.fromarray(np.asarray(image)).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(enlarged, (x + LABEL_WIDTH + place * (side + GAP), y))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description="Contact sheet of the corruptions of a benchmark.")
    parser.add_argument("benchmark", choices=["cifar_c", "mnist_c"])
    parser.add_argument("folder", type=Path, help="where the clean images are")
    parser.add_argument("sheet", type=Path, help="the PNG to write")
    parser.add_argument("--frost-textures", type=Path, help="folder of frost1.png, ...")
    arguments = parser.parse_args()
    if arguments.benchmark == "cifar_c":
        rows = cifar_rows(arguments.folder, arguments.frost_textures)
    else:
        rows = mnist_rows(arguments.folder)
    draw(rows).save(arguments.sheet, optimize=True)


if __name__ == "__main__":
    main()
