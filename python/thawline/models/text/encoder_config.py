"""The configuration of a pretrained encoder, looked over before transformers builds a model of it.

What a file says of sizes is believed by nobody who allocates: a number that is none, or one of which the weights beside
it cannot be, is refused by its key first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from transformers import CONFIG_MAPPING
from transformers.utils import CONFIG_NAME

_MAX_BYTES: Final = 4 * 1024 * 1024
_MOST: Final = 10_000_000
_MOST_LAYERS: Final = 1_000
# Each pair has a matrix of these sizes among the weights, which take a byte a number at least.
_MATRICES: Final = (
    ("vocab_size", "embedding_size"),
    ("vocab_size", "hidden_size"),
    ("hidden_size", "hidden_size"),
    ("intermediate_size", "hidden_size"),
    ("num_hidden_layers", "hidden_size"),
)


def malformed_config(folder: Path) -> str | None:
    """Why a model cannot be built from the folder's `config.json`, as half a sentence that names file and key.

    None if it can, and where there is no file or no known `model_type`: that, transformers says.
    """
    path = folder / CONFIG_NAME
    if not path.is_file():
        return None
    if (size := path.stat().st_size) > _MAX_BYTES:
        return f"`{path}` has {size:,} bytes, more than {_MAX_BYTES:,}"
    try:
        content = msgspec.json.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"`{path}` is no JSON ({error})"
    if not isinstance(content, dict):
        return f"`{path}` is no JSON object"
    model_type = content.get("model_type")
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING:
        return None
    known = CONFIG_MAPPING[model_type]
    defaults = known().to_dict()
    # What is as in the architecture is left out of the file.
    sizes = {**defaults, **content}
    why = _wrong_value(content, defaults) or _too_large(sizes, known.attribute_map, _weight_bytes(folder))
    return None if why is None else f"`{path}`: {why}"


def _wrong_value(content: Mapping[str, Any], defaults: Mapping[str, Any]) -> str | None:
    """A key that holds another type than a number or a flag where the model has one, or a number beyond its range."""
    for key, value in content.items():
        default = defaults.get(key)
        if value is None or not isinstance(default, bool | int | float):
            continue
        if isinstance(default, bool):
            if not isinstance(value, bool):
                return f"`{key}` is {_shown(value)}, not true or false"
        elif isinstance(value, bool) or not isinstance(value, int if isinstance(default, int) else int | float):
            return f"`{key}` is {_shown(value)}, not a number" + (" without a fraction" if _is_float(value) else "")
        elif isinstance(default, int) and not _least(key) <= value <= _most(key):
            return f"`{key}` is {_shown(value)}, not a number from {_least(key):,} to {_most(key):,}"
    return None


def _too_large(config: Mapping[str, Any], names: Mapping[str, str], available: int | None) -> str | None:
    """Two keys whose matrix has more numbers than the weights have bytes."""
    if available is None:
        return None
    for rows, columns in _MATRICES:
        # The table of words is as wide as the embeddings, where those have a width of their own.
        if (rows, columns) == ("vocab_size", "hidden_size") and isinstance(config.get("embedding_size"), int):
            continue
        first, second = names.get(rows, rows), names.get(columns, columns)
        height, width = config.get(first), config.get(second)
        if isinstance(height, int) and isinstance(width, int) and height * width > available:
            return (
                f"`{first}` {_shown(height)} and `{second}` {_shown(width)} need more numbers than the weights beside "
                f"it have bytes ({available:,})"
            )
    return None


def _weight_bytes(folder: Path) -> int | None:
    sizes = [path.stat().st_size for path in folder.glob("*.safetensors")]
    return sum(sizes) if sizes else None


def _least(key: str) -> int:
    """Of a number that is no size, such as the index of what is ignored, the sign is the model's own affair."""
    return 0 if key.startswith("num_") or key.endswith("_size") else -_MOST


def _most(key: str) -> int:
    return _MOST_LAYERS if "layers" in key else _MOST


def _is_float(value: object) -> bool:
    return isinstance(value, float)


def _shown(value: object) -> str:
    shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
