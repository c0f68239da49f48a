import sys

import numpy as np
import pytest
from PIL import Image

from thawline.data.corruptions.recipe import Source
from thawline.data.frost_textures import TEXTURE_FILES, find_frost_textures
from thawline.errors import UserError


def put_textures(folder, size=(200, 175)):
    folder.mkdir(parents=True)
    for number, name in enumerate(TEXTURE_FILES):
        Image.new("RGB", size, (10 * number, 100, 200)).save(folder / name)


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    """A search path on which only what a test puts there is found."""
    installed = tmp_path / "site-packages"
    installed.mkdir()
    monkeypatch.setattr(sys, "path", [str(installed)])
    return installed


def test_the_users_textures_are_shrunk_to_a_fifth(tmp_path):
    put_textures(tmp_path / "frost")
    textures = find_frost_textures(tmp_path / "frost").pictures
    assert [texture.shape for texture in textures] == [(35, 40, 3)] * 5
    assert [texture[0, 0].tolist() for texture in textures[:3]] == [[10 * n, 100, 200] for n in range(3)]


def test_each_pixel_is_the_middle_one_of_five_by_five(tmp_path):
    put_textures(tmp_path / "frost")
    pixels = np.random.default_rng(0).integers(256, size=(177, 203, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "frost/frost1.png")
    first = find_frost_textures(tmp_path / "frost").pictures[0]
    np.testing.assert_array_equal(first, pixels[2:177:5, 2:203:5][:35, :41])


def test_all_missing_files_are_named(tmp_path):
    put_textures(tmp_path / "frost")
    (tmp_path / "frost/frost2.png").unlink()
    (tmp_path / "frost/frost5.jpg").unlink()
    with pytest.raises(UserError) as caught:
        find_frost_textures(tmp_path / "frost")
    assert caught.value.code == "missing_data"
    assert caught.value.message.endswith("lacks frost2.png, frost5.jpg")


def test_a_damaged_texture_is_named(tmp_path):
    put_textures(tmp_path / "frost")
    (tmp_path / "frost/frost3.png").write_text("no picture")
    with pytest.raises(UserError, match=r"frost3\.png is not a readable image"):
        find_frost_textures(tmp_path / "frost")


def test_an_installed_package_gives_them_without_being_imported(nothing_installed):
    assert find_frost_textures(None) is None
    package = nothing_installed / "imagecorruptions"
    put_textures(package / "frost")
    (package / "__init__.py").write_text("raise ImportError('its dependencies are not here')")
    sys.path_importer_cache.clear()
    textures = find_frost_textures(None)
    assert len(textures.pictures) == 5
    assert textures.origin == "the package imagecorruptions"
    assert "imagecorruptions" not in sys.modules


@pytest.mark.parametrize("distribution", ["imagecorruptions-imaug", "imagecorruptions"])
def test_what_an_installed_package_gave_has_its_name_and_version(nothing_installed, distribution):
    put_textures(nothing_installed / "imagecorruptions/frost")
    (nothing_installed / "imagecorruptions/__init__.py").touch()
    about = nothing_installed / f"{distribution.replace('-', '_')}-1.1.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.1.5\n")
    sys.path_importer_cache.clear()
    assert find_frost_textures(None).origin == f"{distribution} 1.1.5"


def test_the_provenance_names_the_setting_and_the_digest_of_the_pictures(tmp_path):
    put_textures(tmp_path / "frost")
    textures = find_frost_textures(tmp_path / "frost")
    digest = Source(np.zeros((1, 32, 32, 3), np.uint8), textures.pictures).textures_sha256
    assert textures.provenance == f"pictures of `evaluate.frost_textures`, sha256 {digest}"
    Image.new("RGB", (200, 175), (1, 1, 1)).save(tmp_path / "frost/frost5.jpg")
    assert digest not in find_frost_textures(tmp_path / "frost").provenance
