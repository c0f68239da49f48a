import numpy as np
import pytest

from thawline.data.npy import map_npy
from thawline.errors import UserError


def test_an_array_is_mapped_and_cannot_be_written(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.uint8).reshape(2, 3))
    mapped = map_npy(tmp_path / "a.npy")
    assert isinstance(mapped, np.memmap)
    assert mapped.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert not mapped.flags.writeable


def text(path):
    path.write_text("no array")


def empty(path):
    path.touch()


def cut_short(path):
    np.save(path, np.arange(100))
    path.write_bytes(path.read_bytes()[:-8])


def pickled(path):
    np.save(path, np.array([{"run": "me"}], dtype=object), allow_pickle=True)


def archive(path):
    with path.open("wb") as file:
        np.savez(file, a=np.arange(3))


@pytest.mark.parametrize("write", [text, empty, cut_short, pickled, archive])
def test_anything_else_is_refused_by_name(tmp_path, write):
    path = tmp_path / "a.npy"
    write(path)
    with pytest.raises(UserError) as caught:
        map_npy(path)
    assert caught.value.code == "corrupt_npy"
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
