"""What a trainer keeps of itself in a checkpoint, and how it goes on from one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from thawline.host.determinism import capture_random_state, restore_random_state
from thawline.probes import Prober
from thawline.storage.checkpoint import SavedCheckpoint, TrainedPart, load_checkpoint, restore_training, save_checkpoint
from thawline.wire.protocol import Welcome


def resume(
    run_folder: Path,
    welcome: Welcome,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    prober: Prober | None,
    trained: TrainedPart | None = None,
) -> int:
    """Restores the checkpoint that the controller names, if any; returns the updates completed.

    Raises UserError: what `load_checkpoint` and `restore_training` raise.
    """
    if welcome.resume_from is None:
        return 0
    checkpoint = load_checkpoint(run_folder / welcome.resume_from.path, welcome.resume_from.manifest_sha256)
    restore_training(checkpoint, model, optimizer, trained)
    if prober is not None:
        prober.load_state_dict(_with_prefix(checkpoint.extra, "probe/"))
    restore_random_state(_with_prefix(checkpoint.extra, "random/"))
    return checkpoint.step


def checkpointer(
    run_folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    prober: Prober | None,
    trained: TrainedPart | None = None,
) -> Callable[[int], SavedCheckpoint]:
    """The function that saves a checkpoint after a number of updates, as `Abilities.save` wants it.

    With `trained`, the frozen rest of the model is in no checkpoint.
    """

    def save(step: int) -> SavedCheckpoint:
        kept = {} if prober is None else prober.state_dict()
        probe = {f"probe/{name}": tensor for name, tensor in kept.items()}
        random = {f"random/{name}": tensor for name, tensor in capture_random_state().items()}
        return save_checkpoint(
            run_folder / "checkpoints",
            step,
            model=model,
            optimizer=optimizer,
            extra=probe | random,
            trained=trained,
        )

    return save


def _with_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
