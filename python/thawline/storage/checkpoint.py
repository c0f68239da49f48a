"""Checkpoints: safetensors and JSON, complete or absent, verified before use, never unpickled.

A folder holds `model.safetensors`, `optimizer.safetensors`, `extra.safetensors` (random state, probe history),
`state.json`, and the manifest that seals it. Decision record: docs/decisions/0006-checkpoints.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.storage.room import refused_by_disk
from thawline.storage.sealed_folder import require_undamaged, write_json, write_sealed
from thawline.storage.weights import weights_sha256
from thawline.tensor_files import load_tensors


@dataclass(frozen=True)
class SavedCheckpoint:
    """What the journal keeps of a checkpoint; `path` is absolute."""

    step: int
    path: Path
    manifest_sha256: str
    weights_sha256: str


@dataclass(frozen=True)
class TrainedPart:
    """The tensors of a model that ever train, by name, where the rest is the same in every checkpoint.

    `rest_sha256` identifies that rest, so that no training goes on over other frozen weights.
    """

    names: frozenset[str]
    rest_sha256: str

    @classmethod
    def of(cls, model: nn.Module, names: Collection[str]) -> TrainedPart:
        return cls(frozenset(names), weights_sha256(model, without=names))


def save_checkpoint(
    folder: Path,
    step: int,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    extra: Mapping[str, Tensor],
    trained: TrainedPart | None = None,
) -> SavedCheckpoint:
    """Writes `folder/step-XXXXXXXX`: all of it, on the disk, or nothing.

    `extra` are further tensors by name. With `trained` the frozen rest of the model is left out. Raises
    NoRoomError where the disk has no room for it, EnvironmentFault where it refuses otherwise.
    """
    tensors, scalars = _optimizer_state(model, optimizer)
    described = {"step": step, "optimizer": scalars}
    if trained is not None:
        described["rest_sha256"] = trained.rest_sha256

    def write(draft: Path) -> None:
        save_file(_contiguous(_saved_tensors(model, trained)), draft / "model.safetensors")
        save_file(_contiguous(tensors), draft / "optimizer.safetensors")
        save_file(_contiguous(extra), draft / "extra.safetensors")
        write_json(draft / "state.json", described)

    target = folder / f"step-{step:08d}"
    try:
        saved = [*_saved_tensors(model, trained).values(), *tensors.values(), *extra.values()]
        num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in saved)
        manifest_sha256 = write_sealed(target, step, write, num_bytes=num_bytes)
    # safetensors has an error of its own for what the file system says.
    except (OSError, SafetensorError) as error:
        raise refused_by_disk(f"the checkpoint of step {step}", error) from error
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

    Raises UserError `corrupt_checkpoint` naming the first file that is not what was written, or holds no tensors.
    """
    hint = "the run goes on from an older checkpoint, if it has one"
    require_undamaged(path, manifest_sha256, what="the checkpoint", hint=hint)
    state = json.loads((path / "state.json").read_text())
    model, optimizer, extra = (
        load_tensors(path / f"{part}.safetensors", code="corrupt_checkpoint", hint=hint)
        for part in ("model", "optimizer", "extra")
    )
    return LoadedCheckpoint(step=state.pop("step"), model=model, optimizer=optimizer, extra=extra, state=state)


def restore_training(
    checkpoint: LoadedCheckpoint,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    trained: TrainedPart | None = None,
) -> None:
    """Puts weights and optimizer state back, by parameter name, in the memory format of the living parameters.

    `trained` as when the checkpoint was saved. Raises UserError `changed_model` where the frozen rest is another one.
    """
    if trained is not None and checkpoint.state["rest_sha256"] != trained.rest_sha256:
        raise UserError(
            "changed_model",
            "the frozen weights of the model are not those that this run was trained on",
            "put back the files of the pretrained model as they were when the run began",
        )
    living = _saved_tensors(model, trained)
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


def _saved_tensors(model: nn.Module, trained: TrainedPart | None) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if trained is None or name in trained.names}


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
