"""Adapters on disk, in the form of PEFT: the best so far, to be returned to, and those that were evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import peft
from safetensors import SafetensorError
from torch import nn

from thawline.config.run import TextRunConfig
from thawline.lockstep.abilities import SplitScore
from thawline.models.text.adapters import ADAPTER
from thawline.steering.blocks import BlockMap
from thawline.storage.checkpoint import SavedCheckpoint
from thawline.storage.journal import read_decisions
from thawline.storage.room import refused_by_disk
from thawline.storage.sealed_folder import require_undamaged, write_json, write_sealed
from thawline.storage.weights import weights_sha256
from thawline.tensor_files import load_tensors
from thawline.trainers.text_card import model_card

WEIGHTS = "adapter_model.safetensors"
IDENTITY = "weights.json"
CARD = "README.md"


class Adapters:
    """What a run leaves of its weights. All that trains is in them: with the pretrained encoder they are the model.

    `best/step-XXXXXXXX` in the run folder: as they were after that many updates, to be returned to. `adapter`: those
    that were evaluated last, and their scores.
    """

    def __init__(
        self,
        run_folder: Path,
        model: nn.Module,
        config: TextRunConfig,
        block_map: BlockMap,
        label_names: Sequence[str] = (),
    ) -> None:
        self._run_folder = run_folder
        self._model = model
        self._config = config
        self._block_map = block_map
        self._label_names = label_names
        self._restored_step: int | None = None

    def keep_best(self, step: int) -> SavedCheckpoint:
        """Stores the weights as they are after `step` updates. Raises EnvironmentFault when the disk refuses.

        Older ones stay: the controller removes them, when its journal has the new ones.
        """
        return self._save(self._run_folder / "best" / f"step-{step:08d}", step, [])

    def restore_best(self, path: Path, manifest_sha256: str) -> None:
        """Loads what `keep_best` stored; which parameters train stays as it is.

        Raises UserError `corrupt_checkpoint` naming the first file that is not what was written.
        """
        hint = "put the folder back as it was, or run again"
        require_undamaged(path, manifest_sha256, what="the best weights", hint=hint)
        tensors = load_tensors(path / WEIGHTS, code="corrupt_checkpoint", hint=hint)
        with _same_mask(self._model):
            peft.set_peft_model_state_dict(self._model, tensors, adapter_name=ADAPTER)
        identity = json.loads((path / IDENTITY).read_text())
        assert weights_sha256(self._model) == identity["weights_sha256"], "the adapter does not hold all that trains"
        self._restored_step = identity["step"]

    def export(self, step: int, scores: Sequence[SplitScore]) -> None:
        """Stores the weights as they were evaluated after `step` updates. Raises EnvironmentFault like `keep_best`."""
        weights_step = step if self._restored_step is None else self._restored_step
        self._save(self._run_folder / "adapter", weights_step, scores, shared=True)

    def _save(self, target: Path, step: int, scores: Sequence[SplitScore], *, shared: bool = False) -> SavedCheckpoint:
        card = model_card(
            self._config, self._block_map, read_decisions(self._run_folder), step, scores, self._label_names
        )
        return save_adapter(target, step, self._model, self._config.model.revision, card, shared=shared)


def save_adapter(
    target: Path, step: int, model: nn.Module, revision: str | None, card: str, *, shared: bool = False
) -> SavedCheckpoint:
    """A folder that `PeftModel.from_pretrained` loads, with a model card; sealed like a checkpoint.

    `revision` is the commit of an encoder from the Hub. One that is `shared` has its modes from the umask. Raises
    NoRoomError where the disk is full, EnvironmentFault where it refuses otherwise.
    """
    identity = weights_sha256(model)

    def write(draft: Path) -> None:
        assert isinstance(model, peft.PeftModel)
        model.peft_config[ADAPTER].revision = revision
        # Embeddings never train; `auto` would ask the Hub about them.
        model.save_pretrained(str(draft), save_embedding_layers=False)
        _sort_sets(draft / "adapter_config.json", model.peft_config[ADAPTER])
        (draft / CARD).write_text(card, encoding="utf-8")
        write_json(draft / IDENTITY, {"step": step, "weights_sha256": identity})

    try:
        with _same_mask(model):
            manifest_sha256 = write_sealed(target, step, write, shared=shared)
    except (OSError, SafetensorError) as error:
        raise refused_by_disk(f"the adapter of step {step}", error) from error
    return SavedCheckpoint(step, target, manifest_sha256, identity)


def _sort_sets(path: Path, settings: peft.PeftConfig) -> None:
    """PEFT writes a set in the order of this process's hashes: the same adapter would be another file each time."""
    written = json.loads(path.read_text())
    sets = {name: sorted(value) for name, value in vars(settings).items() if isinstance(value, set)}
    path.write_text(json.dumps(written | sets, indent=2, sort_keys=True))


@contextmanager
def _same_mask(model: nn.Module) -> Iterator[None]:
    """PEFT sets `requires_grad` as it likes; afterwards it is as it was."""
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
