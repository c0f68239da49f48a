import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thawline.data.restricted_pickle import ForbiddenPickle, read_restricted_pickle


def refusal(content: bytes) -> str:
    with pytest.raises(ForbiddenPickle) as caught:
        read_restricted_pickle(content)
    return str(caught.value)


class Reduced:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_arrays_of_bytes_and_plain_data_are_read(protocol):
    value = {
        "data": np.arange(12, dtype=np.uint8).reshape(3, 4),
        "labels": [1, 2, 300],
        b"name": b"x\xff",
        "none": None,
    }
    read = read_restricted_pickle(pickle.dumps(value, protocol))
    assert isinstance(read, dict)
    assert np.array_equal(read.pop("data"), value.pop("data"))
    assert read == value


def test_a_call_is_refused_without_being_made(tmp_path: Path):
    target = tmp_path / "made"
    content = pickle.dumps({"data": Reduced(os.mkdir, str(target))})
    pickle.loads(content)  # noqa: S301 -- shows that the pickle works where it is trusted
    target.rmdir()
    assert refusal(content) == f"it asks for {os.mkdir.__module__}.mkdir"
    assert not target.exists()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Reduced(eval, "1"), "__builtin__.eval"),
        (Reduced(getattr, "text", "upper"), "__builtin__.getattr"),
        (np.array([1.5]), "array of type 'f8'"),
        (np.array([[1]], dtype=object), "array of type 'O8'"),
        (np.float64(1.5), "numpy"),
        (np.array, "numpy.array"),
    ],
)
def test_anything_else_is_named(value, reason):
    assert reason in refusal(pickle.dumps(value, 2))


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cnumpy\ndtype\n}X\x08\x00\x00\x00__call__K\x01sb.",  # writes an attribute of what may be called
        b"cnumpy\nndarray\nK\x05\x85R.",  # calls the class of arrays itself
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00K\x00\x87R.",  # an array of another class
        b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.",  # another codec
        b"\x80\x02P1\n.",  # an object kept elsewhere
        b"",
        b"\x80\x02}",
        b"no pickle",
    ],
)
def test_hand_made_streams_are_refused(opcodes):
    refusal(b"\x80\x02" + opcodes if opcodes.startswith(b"c") else opcodes)


@given(st.data())
def test_a_pickle_that_is_cut_short_is_refused(data):
    content = pickle.dumps({"data": np.arange(9, dtype=np.uint8), "labels": [1, 2], "name": "x"}, 2)
    assert refusal(content[: data.draw(st.integers(0, len(content) - 1))]).startswith("it cannot be read")
