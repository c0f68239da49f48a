"""The best weights of a network for images: all of it, kept on the disk to be returned to."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from thawline.storage.checkpoint import SavedCheckpoint
from thawline.storage.room import refused_by_disk
from thawline.storage.sealed_folder import require_undamaged, write_json, write_sealed
from thawline.storage.weights import weights_sha256
from thawline.tensor_files import load_tensors

# As in a checkpoint: whoever begins with the weights of a run reads them from either.
WEIGHTS = "model.safetensors"
IDENTITY = "weights.json"


class BestWeights:
    """`best/step-XXXXXXXX` in the run folder: parameters and buffers as they were after that many updates."""

    def __init__(self, run_folder: Path, model: nn.Module) -> None:
        self._folder = run_folder / "best"
        self._model = model

    def keep(self, step: int) -> SavedCheckpoint:
        """Stores the weights as they are after `step` updates. Raises NoRoomError and EnvironmentFault.

        Older ones stay: the controller removes them, when its journal has the new ones.
        """
        target = self._folder / f"step-{step:08d}"
        # A clone of each: safetensors refuses tensors that share memory.
        tensors = {
            name: tensor.detach().to("cpu").clone(memory_format=torch.contiguous_format)
            for name, tensor in self._model.state_dict().items()
        }
        identity = weights_sha256(self._model)

        def write(draft: Path) -> None:
            save_file(tensors, draft / WEIGHTS)
            write_json(draft / IDENTITY, {"step": step, "weights_sha256": identity})

        num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        try:
            manifest_sha256 = write_sealed(target, step, write, num_bytes=num_bytes)
        except (OSError, SafetensorError) as error:
            raise refused_by_disk(f"the best weights, those of step {step}", error) from error
        return SavedCheckpoint(step, target, manifest_sha256, identity)

    def restore(self, path: Path, manifest_sha256: str) -> None:
        """Loads what `keep` stored, in the memory format of the living parameters.

        Raises UserError `corrupt_checkpoint` naming the first file that is not what was written.
        """
        hint = "put the folder back as it was, or run again"
        require_undamaged(path, manifest_sha256, what="the best weights", hint=hint)
        tensors = load_tensors(path / WEIGHTS, code="corrupt_checkpoint", hint=hint)
        living = self._model.state_dict()
        assert living.keys() == tensors.keys(), "the best weights are of another model"
        for name, tensor in tensors.items():
            living[name].copy_(tensor)
        identity = json.loads((path / IDENTITY).read_text())
        assert weights_sha256(self._model) == identity["weights_sha256"], "the file does not hold all of the weights"
