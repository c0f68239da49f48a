"""NumPy's .npy files, mapped rather than read, and never unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thawline.errors import UserError


def map_npy(path: Path) -> npt.NDArray[Any]:
    """The array in the file; its pages are read when they are used. Raises UserError `corrupt_npy`."""
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            "corrupt_npy", f"{path} is not a readable .npy file ({reason})", hint="fetch the file again"
        ) from error
    if not isinstance(array, np.ndarray):
        raise UserError("corrupt_npy", f"{path} is an archive of arrays, not one array", hint="fetch the file again")
    return array
