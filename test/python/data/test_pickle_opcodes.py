"""Plain data is read as Python itself reads it, of every protocol, and damage never is anything but a refusal."""

import pickle
import pickletools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from malformed_pickles import PLAIN

from thawline.data.restricted_pickle import ForbiddenPickle, read_restricted_pickle

NUMBERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.binary(), inner),
    max_leaves=12,
)


def typed(value: Any) -> Any:
    """True is not 1, and a tuple no list."""
    match value:
        case list() | tuple():
            return type(value), [typed(item) for item in value]
        case dict():
            return [(typed(key), typed(item)) for key, item in value.items()]
    return type(value), value


@given(VALUES, st.integers(0, 5), st.booleans())
def test_plain_data_is_what_python_reads(value: Any, protocol: int, optimized: bool) -> None:
    content = pickle.dumps(value, protocol)
    read = read_restricted_pickle(pickletools.optimize(content) if optimized else content)
    assert typed(read) == typed(pickle.loads(content))  # noqa: S301 -- it is our own


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 4), (0, 7), (5000,), (2, 3, 5)])
def test_arrays_are_what_python_reads(protocol: int, order: Any, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.random.default_rng(0).integers(0, 256, shape), np.uint8, order=order)
    content = pickle.dumps([array, array], protocol)
    first, second = read_restricted_pickle(content)  # type: ignore[misc]
    assert first is second
    assert (first.dtype, first.shape, first.flags.f_contiguous) == (array.dtype, shape, array.flags.f_contiguous)
    assert np.array_equal(first, array)


def test_long_lists_of_a_batch_each_are_read() -> None:
    value = {"labels": list(range(5000)), "filenames": [f"{index}.png" for index in range(5000)]}
    assert all(read_restricted_pickle(pickle.dumps(value, protocol)) == value for protocol in range(6))


def test_texts_of_python_2_are_latin1() -> None:
    assert read_restricted_pickle(b"(lp1\nS'a\\xe9\\n'\np2\naI01\naI-7\naL12L\naV\\u20ac\na.") == [
        "aé\n",
        True,
        -7,
        12,
        "€",
    ]


@given(st.data())
def test_damage_is_refused_or_gives_plain_data(data: st.DataObject) -> None:
    array = np.arange(40, dtype=np.uint8).reshape(2, 20)
    content = bytearray(pickle.dumps({"data": array, "labels": [1, 2], "t": (b"x", -1)}, data.draw(st.integers(0, 5))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_restricted_pickle(bytes(content))
    except ForbiddenPickle as refusal:
        assert str(refusal).startswith("it ")  # noqa: PT017 -- most are refused, not all


def test_a_plain_one_is_read() -> None:
    read = read_restricted_pickle(PLAIN)
    assert isinstance(read, dict)
    assert read["labels"] == [0, 1]
