"""Weights that a network for images begins with, from a safetensors file: all of them, or all but the head's."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from thawline.errors import UserError, visible
from thawline.steering.blocks import BlockMap
from thawline.tensor_files import load_tensors

_SHOWN = 3


def load_weights(
    model: nn.Module, block_map: BlockMap, path: Path, sha256: str | None, *, new_head: bool = False
) -> bool:
    """Fills `model` from the file; returns whether its head was left as it was drawn.

    So it is where the file's head has another form, and with `new_head` in any case.

    The file has the model's tensors under its own names, buffers included, as a checkpoint's `model.safetensors` does.
    A head fits where all of its tensors do. Otherwise none of it is read, whatever the file calls its own.

    Raises UserError: `missing_weights`; `changed_weights` where the file is not the one that `sha256` names;
    `wrong_weights` for one that is no file of tensors, has values that are not finite, or does not fit below the head,
    naming the first tensors. The model is then as it was.
    """
    hint = "set `model.weights` to a safetensors file, or to the folder of a run, of a network of this form"
    if not path.is_file():
        raise UserError("missing_weights", f"`model.weights` names `{path}`, which is no file", hint)
    _require_same(path, sha256)
    found = load_tensors(path, code="wrong_weights", hint=hint)
    wanted = model.state_dict(keep_vars=False)
    owned = _head_tensors(wanted, block_map)
    whole_head = not new_head and all(name in found and _fits(wanted[name], found[name]) for name in owned)
    body = [name for name in wanted if name not in owned]
    unfit = [_misfit(name, wanted[name], found.get(name)) for name in body if not _fits(wanted[name], found.get(name))]
    unfit += [f"{_named(name)} is in the file only" for name in _strange(found, wanted, body, whole_head=whole_head)]
    if unfit:
        raise UserError("wrong_weights", f"`{path}` does not fit the network: {_first(unfit)}", hint)
    read = [*body, *(owned if whole_head else ())]
    if infinite := [name for name in read if not _is_finite(found[name])]:
        names = _first([_named(name) for name in infinite])
        raise UserError("wrong_weights", f"`{path}` has values that are not finite: {names}", hint)
    with torch.no_grad():
        for name in read:
            wanted[name].copy_(found[name])
    return not whole_head


def _require_same(path: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    with path.open("rb") as file:
        now = hashlib.file_digest(file, "sha256").hexdigest()
    if now != sha256:
        raise UserError(
            "changed_weights",
            f"`{path}` is not the file that `model.weights_sha256` names: its SHA-256 begins with {now[:12]}, not "
            f"{sha256[:12]}",
            "put back the file that the run was made with, or begin a new run with this one",
        )


def _head_tensors(wanted: Mapping[str, Tensor], block_map: BlockMap) -> set[str]:
    """The head's parameters, and the buffers of layers that have no other parameters."""
    parameters = set(block_map.head.parameter_names)
    others = {name for block in block_map.blocks for name in block.parameter_names}
    layers, below = ({_layer(name) for name in names} for names in (parameters, others))
    return {name for name in wanted if name in parameters or (_layer(name) in layers and _layer(name) not in below)}


def _strange(found: Collection[str], wanted: Collection[str], body: list[str], *, whole_head: bool) -> list[str]:
    """What the file has besides. Where its head is another one, that may have any name that no part below has."""
    parts = {name.split(".")[0] for name in body}
    return [name for name in found if name not in wanted and (whole_head or name.split(".")[0] in parts)]


def _fits(wanted: Tensor, found: Tensor | None) -> bool:
    return found is not None and found.shape == wanted.shape and _kind(found) == _kind(wanted)


def _kind(tensor: Tensor) -> tuple[bool, bool]:
    return tensor.is_floating_point(), tensor.is_complex()


def _misfit(name: str, wanted: Tensor, found: Tensor | None) -> str:
    if found is None:
        return f"{_named(name)} is not in it"
    if found.shape != wanted.shape:
        return f"{_named(name)} is {list(found.shape)} in the file and {list(wanted.shape)} in the network"
    return f"{_named(name)} is {found.dtype} in the file and {wanted.dtype} in the network"


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.to(torch.float32)).all())


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _named(name: str) -> str:
    return f"`{visible(name[:80])}`"


def _first(texts: list[str]) -> str:
    more = f", and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more
