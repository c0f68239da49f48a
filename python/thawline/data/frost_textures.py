"""The pictures of frost that CIFAR-C lays over images: the user's, or those in an installed Python package.

They are photographs from the web without a stated licence, so thawline does not ship them (decision record
frost-textures).
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from thawline.data.corruptions.conventions import Images
from thawline.errors import UserError

TEXTURE_FILES = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
"""Those that the official code uses, by their names in its repository; its frost6.jpg is never drawn."""

PACKAGE = "imagecorruptions"
"""The import name of imagecorruptions-imaug (and of its unmaintained origin), which have them in `frost/`."""

DISTRIBUTIONS = ("imagecorruptions-imaug", "imagecorruptions")

SHRINKING = 5


@dataclass(frozen=True)
class FrostTextures:
    """Pictures uint8 [height, width, 3] at the scale of 32 x 32 images, and in words where they were found."""

    pictures: tuple[Images, ...]
    origin: str

    @property
    def provenance(self) -> str:
        """What a result names: the origin, and the SHA-256 that `textures_sha256` of the cache is."""
        return f"pictures of {self.origin}, sha256 {textures_sha256(self.pictures)}"


def textures_sha256(pictures: tuple[Images, ...]) -> str:
    return hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()


def find_frost_textures(folder: Path | None) -> FrostTextures | None:
    """None if no folder is given and no package installed.

    Raises UserError: `missing_data` naming every file that the given folder lacks, `corrupt_image`.
    """
    chosen = folder or _installed_folder()
    if chosen is None:
        return None
    if missing := [name for name in TEXTURE_FILES if not (chosen / name).is_file()]:
        raise UserError(
            "missing_data",
            f"the folder of frost textures {chosen} lacks {', '.join(missing)}",
            hint="put the textures of the repository hendrycks/robustness there, or leave `evaluate.frost_textures` "
            "out and install the package imagecorruptions-imaug, which has them",
        )
    pictures = tuple(_read_texture(chosen / name) for name in TEXTURE_FILES)
    return FrostTextures(pictures, _installed_package() if folder is None else "`evaluate.frost_textures`")


def _installed_folder() -> Path | None:
    """Found without importing the package, whose own dependencies need not be there."""
    specification = importlib.util.find_spec(PACKAGE)
    places = (specification and specification.submodule_search_locations) or []
    return next((Path(place) / "frost" for place in places if (Path(place) / "frost").is_dir()), None)


def _installed_package() -> str:
    """Name and version; a package on the search path need not be an installed one, and then has no version."""
    for distribution in DISTRIBUTIONS:
        try:
            return f"{distribution} {metadata.version(distribution)}"
        except metadata.PackageNotFoundError:
            continue
    return f"the package {PACKAGE}"


def _read_texture(path: Path) -> Images:
    """Shrunk to a fifth, as OpenCV does it bilinearly: its sampling points fall on the middle pixel of each five."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            "corrupt_image", f"{path} is not a readable image ({error})", hint="replace the file"
        ) from error
    height, width = (round(side / SHRINKING) for side in pixels.shape[:2])
    middle = SHRINKING // 2
    return pixels[middle::SHRINKING, middle::SHRINKING][:height, :width]
