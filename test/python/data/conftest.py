import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

EncodeIdx = Callable[[npt.NDArray], bytes]


@pytest.fixture
def encode_idx() -> EncodeIdx:
    """Written from the format's description, so that reader and tests do not share a mistake."""
    element_types = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}

    def encode(array: npt.NDArray) -> bytes:
        header = struct.pack(">BBBB", 0, 0, element_types[array.dtype.str[1:]], array.ndim)
        dimensions = struct.pack(f">{array.ndim}I", *array.shape)
        return header + dimensions + array.astype(array.dtype.newbyteorder(">"), copy=False).tobytes()

    return encode


@pytest.fixture
def digits() -> npt.NDArray[np.uint8]:
    """Twenty grey images [20, 28, 28] with a bright bar and a dark margin, each a bit different."""
    images = np.zeros((20, 28, 28), np.uint8)
    for i, image in enumerate(images):
        image[6 + i % 4 : 22, 10 + i % 5 : 15 + i % 5] = 255 - 7 * i
    return images
