"""Adapters on disk, in the form of PEFT: the best so far, to be returned to, and those that were evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import peft
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from thawline.blocks import BlockMap
from thawline.checkpoint import SavedCheckpoint
from thawline.config import TextRunConfig
from thawline.errors import EnvironmentFault
from thawline.journaled_decisions import read_decisions
from thawline.models.text.adapters import ADAPTER
from thawline.sealed_folder import require_undamaged, write_json, write_sealed
from thawline.trainers.text_card import model_card
from thawline.training import SplitScore
from thawline.weights import weights_sha256

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
        with _same_mask(self._model):
            peft.set_peft_model_state_dict(self._model, load_file(path / WEIGHTS), adapter_name=ADAPTER)
        identity = json.loads((path / IDENTITY).read_text())
        assert weights_sha256(self._model) == identity["weights_sha256"], "the adapter does not hold all that trains"
        self._restored_step = identity["step"]

    def export(self, step: int, scores: Sequence[SplitScore]) -> None:
        """Stores the weights as they were evaluated after `step` updates. Raises EnvironmentFault like `keep_best`."""
        weights_step = step if self._restored_step is None else self._restored_step
        self._save(self._run_folder / "adapter", weights_step, scores)

    def _save(self, target: Path, step: int, scores: Sequence[SplitScore]) -> SavedCheckpoint:
        card = model_card(
            self._config, self._block_map, read_decisions(self._run_folder), step, scores, self._label_names
        )
        return save_adapter(target, step, self._model, self._config.model.revision, card)


def save_adapter(target: Path, step: int, model: nn.Module, revision: str | None, card: str) -> SavedCheckpoint:
    """A folder that `PeftModel.from_pretrained` loads, with a model card; sealed like a checkpoint.

    `revision` is the commit of an encoder from the Hub. Raises EnvironmentFault when the disk refuses.
    """
    identity = weights_sha256(model)

    def write(draft: Path) -> None:
        assert isinstance(model, peft.PeftModel)
        model.peft_config[ADAPTER].revision = revision
        # Embeddings never train; `auto` would ask the Hub about them.
        model.save_pretrained(str(draft), save_embedding_layers=False)
        (draft / CARD).write_text(card, encoding="utf-8")
        write_json(draft / IDENTITY, {"step": step, "weights_sha256": identity})

    try:
        with _same_mask(model):
            manifest_sha256 = write_sealed(target, step, write)
    except (OSError, SafetensorError) as error:
        raise EnvironmentFault(f"the adapter of step {step} cannot be written: {error}") from error
    return SavedCheckpoint(step, target, manifest_sha256, identity)


@contextmanager
def _same_mask(model: nn.Module) -> Iterator[None]:
    """PEFT sets `requires_grad` as it likes; afterwards it is as it was."""
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
