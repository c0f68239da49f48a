import gzip
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thawline.data.idx import parse_idx, read_unpacked
from thawline.errors import UserError

IMAGE_HEADER = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3])  # two images of 1 x 3 pixels


def write(folder: Path, content: bytes) -> Path:
    path = folder / "images"
    path.write_bytes(content)
    return path


def read_idx(path: Path) -> npt.NDArray[Any]:
    return parse_idx(read_unpacked(path), path)


def corrupt_message(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_idx(path)
    assert caught.value.code == "corrupt_idx"
    assert str(path) in caught.value.message
    return caught.value.message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).flatmap(lambda t: arrays(t, array_shapes(max_side=5))))
def test_reads_back_every_element_type_and_shape(tmp_path, encode_idx, array):
    read = read_idx(write(tmp_path, encode_idx(array)))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_the_last_index_varies_fastest(tmp_path):
    read = read_idx(write(tmp_path, IMAGE_HEADER + bytes([1, 2, 3, 4, 5, 6])))
    np.testing.assert_array_equal(read, [[[1, 2, 3]], [[4, 5, 6]]])


def test_gzip_is_recognised_by_its_content_not_by_the_name(tmp_path):
    read = read_idx(write(tmp_path, gzip.compress(IMAGE_HEADER + bytes(6))))
    assert read.shape == (2, 1, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "magic number"),
        (b"PK\x03\x04" + bytes(20), "50 4b 03 04"),
        (bytes([0, 0, 7, 1, 0, 0, 0, 0]), "element type 0x07 is unknown"),
        (IMAGE_HEADER[:10], "inside the header of 3 dimensions"),
        (IMAGE_HEADER + bytes(5), "announces 22 bytes in all, but there are 21"),
        (IMAGE_HEADER + bytes(7), "announces 22 bytes in all, but there are 23"),
    ],
)
def test_malformed_content_is_a_user_error_that_says_what_is_wrong(tmp_path, content, reason):
    assert reason in corrupt_message(write(tmp_path, content))
    assert reason in corrupt_message(write(tmp_path, gzip.compress(content)))


def test_a_damaged_gzip_stream_is_a_user_error(tmp_path):
    whole = gzip.compress(IMAGE_HEADER + bytes(range(6)))
    flipped = bytearray(whole)
    flipped[-6] ^= 0xFF  # in the checksum
    for damaged in (whole[:-10], whole[:15], bytes(flipped), whole + b"trailing"):
        assert "gzip stream is damaged or cut short" in corrupt_message(write(tmp_path, damaged))
