"""IDX, the file format of MNIST: big-endian, a type byte, a dimension count, one u32 per dimension, then the elements.

Format: bytes 0-1 zero; byte 2 element type; byte 3 number of dimensions; the last index varies fastest.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thawline.errors import UserError

GZIP_MAGIC = b"\x1f\x8b"
ELEMENT_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_unpacked(path: Path) -> bytes:
    """The file's bytes, decompressed if its content (not its name) says gzip. Raises UserError `corrupt_idx`."""
    content = path.read_bytes()
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _corrupt(path, f"its gzip stream is damaged or cut short ({error})") from error


def parse_idx(content: bytes, path: Path) -> npt.NDArray[Any]:
    """The array that the unpacked IDX bytes describe; `path` is only named in the UserError `corrupt_idx`."""
    if len(content) < 4 or content[:2] != b"\x00\x00":
        raise _corrupt(path, f"its first bytes are {content[:4].hex(' ') or 'missing'}, not an IDX magic number")
    element_type, num_dimensions = content[2], content[3]
    if element_type not in ELEMENT_TYPES:
        raise _corrupt(path, f"its element type 0x{element_type:02x} is unknown")
    header_bytes = 4 + 4 * num_dimensions
    if len(content) < header_bytes:
        raise _corrupt(path, f"it ends inside the header of {num_dimensions} dimensions")
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, header_bytes, 4))
    dtype = np.dtype(ELEMENT_TYPES[element_type])
    expected_bytes = header_bytes + math.prod(shape) * dtype.itemsize
    if len(content) != expected_bytes:
        raise _corrupt(path, f"its header announces {expected_bytes} bytes in all, but there are {len(content)}")
    elements = np.frombuffer(content, dtype, offset=header_bytes).reshape(shape)
    return elements.astype(dtype.newbyteorder("="))


def _corrupt(path: Path, what: str) -> UserError:
    return UserError("corrupt_idx", f"{path} is not a valid IDX file: {what}", hint="fetch the file again")
