"""The weight files of a pretrained encoder, looked over before transformers reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from thawline.tensor_files import damage_of_file

_MAX_INDEX_BYTES: Final = 16 * 1024 * 1024


class _Index(msgspec.Struct):
    """Which file each weight of a checkpoint in several files is in."""

    weight_map: dict[str, str]


def malformed_weights(folder: Path) -> str | None:
    """Why weights in the folder cannot be read, as half a sentence that names the file; None if they can.

    None as well where there are no weights in safetensors files: what is missing, transformers says.
    """
    if (folder / SAFE_WEIGHTS_NAME).exists():
        return _malformed(folder, [SAFE_WEIGHTS_NAME])
    index = folder / SAFE_WEIGHTS_INDEX_NAME
    if not index.is_file():
        return None
    if (size := index.stat().st_size) > _MAX_INDEX_BYTES:
        return f"`{index}` has {size:,} bytes, more than {_MAX_INDEX_BYTES:,}"
    try:
        files = set(msgspec.json.decode(index.read_bytes(), type=_Index).weight_map.values())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"`{index}` is no index of weights ({error})"
    if any(Path(file).name != file for file in files):
        return f"`{index}` names a file that is not beside it"
    return _malformed(folder, sorted(files))


def _malformed(folder: Path, names: list[str]) -> str | None:
    for name in names:
        if (why := damage_of_file(folder / name)) is not None:
            return f"`{folder / name}` is no file of tensors that can be read: {why}"
    return None
