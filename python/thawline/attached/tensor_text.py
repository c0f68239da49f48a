"""Tensors as a text, which survives JSON and `torch.load(weights_only=True)` and gives back the same bits."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from thawline.errors import UserError
from thawline.tensor_files import damage_of_bytes

if TYPE_CHECKING:
    from torch import Tensor


def tensors_to_text(tensors: dict[str, Tensor]) -> str:
    """The named tensors as safetensors in base64."""
    from safetensors.torch import save

    return base64.b64encode(save({name: tensor.contiguous() for name, tensor in tensors.items()})).decode()


def text_to_tensors(text: str) -> dict[str, Tensor]:
    """The inverse of `tensors_to_text`; no tensors for an empty text.

    Raises UserError `invalid_argument` for what it never gave.
    """
    from safetensors.torch import load

    if text == "":
        return {}
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _damaged(str(error)) from None
    if (why := damage_of_bytes(content)) is not None:
        raise _damaged(why)
    tensors: dict[str, Tensor] = load(content)
    return tensors


def _damaged(why: str) -> UserError:
    return UserError(
        "invalid_argument",
        f"run.load_state_dict: `state['probe']` is damaged: {why}",
        "give it `run.state_dict()` as it was when the checkpoint was written, or an older checkpoint's",
    )
