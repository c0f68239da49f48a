"""Checkpoints: safetensors and JSON, complete or absent, verified before use, never unpickled.

A folder holds `model.safetensors`, `optimizer.safetensors`, `extra.safetensors` (random state, probe history),
`state.json`, and, written last, `manifest.json` with size and SHA-256 of each. Decision record:
docs/decisions/0006-checkpoints.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from thawline.errors import EnvironmentFault, UserError
from thawline.weights import weights_sha256

CHECKPOINT_FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class SavedCheckpoint:
    """What the journal keeps of a checkpoint; `path` is absolute."""

    step: int
    path: Path
    manifest_sha256: str
    weights_sha256: str


def save_checkpoint(
    folder: Path,
    step: int,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    extra: Mapping[str, Tensor],
    state: Mapping[str, Any],
) -> SavedCheckpoint:
    """Writes `folder/step-XXXXXXXX`: all of it, on the disk, or nothing.

    `extra` are further tensors by name, `state` is anything that JSON holds. Raises EnvironmentFault when the disk
    refuses.
    """
    target = folder / f"step-{step:08d}"
    draft = folder / f".draft-{step:08d}-{os.getpid()}"
    try:
        # Drafts are left over from attempts that were killed while they wrote; a run has one writer at a time.
        for left_over in folder.glob(".draft-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        draft.mkdir(parents=True)
        tensors, scalars = _optimizer_state(model, optimizer)
        save_file(_contiguous(model.state_dict()), draft / "model.safetensors")
        save_file(_contiguous(tensors), draft / "optimizer.safetensors")
        save_file(_contiguous(extra), draft / "extra.safetensors")
        _write_json(draft / "state.json", {"step": step, "optimizer": scalars, **state})
        manifest_sha256 = _write_manifest(draft, step)
        # A folder of that name is left over from an attempt whose word never reached the journal.
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
        _sync(folder)
    # safetensors has an error of its own for a full disk.
    except (OSError, SafetensorError) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise EnvironmentFault(f"the checkpoint of step {step} cannot be written: {error}") from error
    return SavedCheckpoint(step, target, manifest_sha256, weights_sha256(model))


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A verified checkpoint; tensors are on the CPU."""

    step: int
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    extra: dict[str, Tensor]
    state: dict[str, Any]


def load_checkpoint(path: Path, manifest_sha256: str) -> LoadedCheckpoint:
    """Reads a checkpoint and checks every byte against its manifest, and the manifest against the journal.

    Raises UserError `corrupt_checkpoint` naming the first file that is not what was written.
    """
    _verify(path, manifest_sha256)
    state = json.loads((path / "state.json").read_text())
    return LoadedCheckpoint(
        step=state.pop("step"),
        model=load_file(path / "model.safetensors"),
        optimizer=load_file(path / "optimizer.safetensors"),
        extra=load_file(path / "extra.safetensors"),
        state=state,
    )


def restore_training(checkpoint: LoadedCheckpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Puts weights and optimizer state back, by parameter name, in the memory format of the living parameters."""
    living = model.state_dict()
    assert living.keys() == checkpoint.model.keys(), "the checkpoint is of another model"
    for name, tensor in checkpoint.model.items():
        living[name].copy_(tensor)
    parameters = dict(model.named_parameters())
    optimizer.state.clear()
    for key, tensor in checkpoint.optimizer.items():
        entry, name = key.split("/", 1)
        parameter = parameters[name]
        like_parameter = tensor.shape == parameter.shape
        restored = torch.empty_like(parameter, dtype=tensor.dtype) if like_parameter else torch.empty_like(tensor)
        optimizer.state[parameter][entry] = restored.detach().copy_(tensor)
    for key, value in checkpoint.state["optimizer"].items():
        entry, name = key.split("/", 1)
        optimizer.state[parameters[name]][entry] = value


def _optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """State by `entry/parameter name`: names outlive any order of groups."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for name, parameter in model.named_parameters():
        for entry, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{entry}/{name}"] = value
            elif value is not None:
                scalars[f"{entry}/{name}"] = value
    return tensors, scalars


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # A clone of each: safetensors refuses tensors that share memory.
    return {
        name: tensor.detach().to("cpu").clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1))


def _write_manifest(folder: Path, step: int) -> str:
    files = {}
    for path in sorted(folder.iterdir()):
        _sync(path)
        files[path.name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    manifest = folder / MANIFEST
    _write_json(manifest, {"format": CHECKPOINT_FORMAT, "step": step, "files": files})
    _sync(manifest)
    _sync(folder)
    return _sha256(manifest)


def _verify(path: Path, manifest_sha256: str) -> None:
    manifest = path / MANIFEST
    if not manifest.is_file():
        raise _corrupt(path, "it has no manifest")
    if _sha256(manifest) != manifest_sha256:
        raise _corrupt(path, "its manifest is not the one that the journal knows")
    for name, expected in json.loads(manifest.read_text())["files"].items():
        file = path / name
        if not file.is_file() or file.stat().st_size != expected["bytes"] or _sha256(file) != expected["sha256"]:
            raise _corrupt(path, f"`{name}` is not what was written")


def _corrupt(path: Path, why: str) -> UserError:
    return UserError(
        "corrupt_checkpoint",
        f"the checkpoint `{path}` cannot be used: {why}",
        "the run goes on from an older checkpoint, if it has one",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
