"""Adapters on disk: whole, in a form that plain PEFT loads, and bit for bit what they were when they come back."""

from __future__ import annotations

import json
import resource
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from journal_lines import interval_decided, unfrozen, write_journal
from safetensors.torch import load_file
from text_training import logits_of, text_run_config
from tiny_encoder import move_adapters, save_bert, token_batch
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification

from thawline.config.run import TextRunConfig, parse_config
from thawline.errors import EnvironmentFault, UserError
from thawline.lockstep.abilities import SplitScore
from thawline.models.text import Encoder
from thawline.steering.freezing import apply_trainable, assert_trainable, parameters_of
from thawline.storage.checkpoint import SavedCheckpoint
from thawline.storage.sealed_folder import damage
from thawline.storage.weights import weights_sha256
from thawline.trainers.text_adapters import Adapters, save_adapter
from thawline.trainers.text_parts import build_model

FILES = ["README.md", "adapter_config.json", "adapter_model.safetensors", "manifest.json", "weights.json"]
HEAD_ALONE = ["head"]
IA3 = {"method": "ia3", "targets": ["key", "output.dense"], "options": {"feedforward_modules": r".*output\.dense"}}


def config_of(encoder: str, data: dict[str, Any], **model: Any) -> TextRunConfig:
    config = text_run_config(encoder, data)
    config["model"] |= model
    parsed = parse_config(config)
    assert isinstance(parsed, TextRunConfig)
    return parsed


class Training:
    """A model that has moved from where it began, half of it frozen, with the run folder of its own."""

    def __init__(self, folder: Path, config: TextRunConfig) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.config = config
        self.encoder: Encoder = build_model(config)
        self.adapters = Adapters(folder, self.encoder.model, config, self.encoder.block_map)
        move_adapters(self.encoder.model)
        apply_trainable(self.encoder.model, self.encoder.block_map, HEAD_ALONE)

    @property
    def model(self) -> nn.Module:
        return self.encoder.model

    def move(self) -> None:
        """Another update, of all that ever trains."""
        trained = parameters_of(self.encoder.block_map, ["head", "layer1", "layer0"])
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if name in trained:
                    parameter.add_(0.25)


@pytest.fixture
def training(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> Training:
    return Training(tmp_path / "run", config_of(encoder, questions))


def plain_peft(folder: Path, encoder: str, *, pairs: bool) -> nn.Module:
    """As anyone would load it, without thawline."""
    auto = AutoModelForSequenceClassification if pairs else AutoModelForQuestionAnswering
    base = auto.from_pretrained(encoder, **({"num_labels": 3} if pairs else {}))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return peft.PeftModel.from_pretrained(base, folder)


def active(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the head that the encoder itself came with, which is drawn anew and never used."""
    return {name: tensor for name, tensor in state.items() if ".original_module." not in name}


@pytest.mark.parametrize("adapter", ["lora", "ia3"])
@pytest.mark.parametrize("task", ["questions", "pairs"])
def test_plain_peft_loads_it_and_gives_the_same_logits(
    tmp_path: Path, encoder: str, task: str, adapter: str, request: pytest.FixtureRequest
) -> None:
    method: dict[str, Any] = {"adapter": IA3} if adapter == "ia3" else {}
    training = Training(tmp_path, config_of(encoder, request.getfixturevalue(task), **method))
    training.move()
    training.adapters.export(6, [])
    plain = plain_peft(tmp_path / "adapter", encoder, pairs=task == "pairs")
    batch = token_batch([9, 4, 6], padding=2)
    assert torch.equal(logits_of(plain, batch), logits_of(training.model, batch))
    ours, theirs = active(training.model.state_dict()), active(plain.state_dict())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_a_pooler_that_was_trained_is_in_it_too(tmp_path: Path, pairs: dict[str, Any]) -> None:
    folder = save_bert(tmp_path / "bert", pooler=False)
    training = Training(tmp_path / "run", config_of(folder, pairs))
    training.move()
    training.adapters.export(6, [])
    plain = plain_peft(tmp_path / "run" / "adapter", folder, pairs=True)
    batch = token_batch([9, 4, 6])
    assert torch.equal(logits_of(plain, batch), logits_of(training.model, batch))


def test_a_kept_folder_is_sealed_and_says_what_it_is(training: Training) -> None:
    write_journal(training.folder, interval_decided(k=3), unfrozen(3, "layer0"))
    kept = training.adapters.keep_best(4)
    assert kept.path == training.folder / "best" / "step-00000004"
    assert sorted(path.name for path in kept.path.iterdir()) == FILES
    assert damage(kept.path, kept.manifest_sha256) is None
    identity = json.loads((kept.path / "weights.json").read_text())
    assert identity == {"step": 4, "weights_sha256": weights_sha256(training.model)}
    assert kept.weights_sha256 == identity["weights_sha256"]
    card = (kept.path / "README.md").read_text()
    assert "k = 3 (source: online, signal `fisher_trace`, decided at update 3)" in card
    assert "- from update 3: layer0" in card
    assert "## Scores" not in card


def test_it_holds_what_ever_trains_and_nothing_else(training: Training) -> None:
    training.adapters.export(6, [])
    saved = load_file(training.folder / "adapter" / "adapter_model.safetensors")
    assert sum(tensor.numel() for tensor in saved.values()) == training.encoder.block_map.num_params
    settings = json.loads((training.folder / "adapter" / "adapter_config.json").read_text())
    assert (settings["r"], settings["lora_alpha"], settings["lora_dropout"]) == (2, 4, 0.2)
    assert settings["base_model_name_or_path"] == training.config.model.pretrained


def test_the_commit_of_an_encoder_is_in_its_configuration(training: Training, tmp_path: Path) -> None:
    save_adapter(tmp_path / "adapter", 1, training.model, "e" * 40, "")
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["revision"] == "e" * 40


def test_its_configuration_does_not_depend_on_the_hashes_of_a_process(training: Training, tmp_path: Path) -> None:
    targets = {f"target{number}" for number in range(20)}
    training.model.peft_config["default"].target_modules = targets
    save_adapter(tmp_path / "adapter", 1, training.model, None, "")
    settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert settings["target_modules"] == sorted(targets)


def test_the_best_come_back_bit_for_bit_and_no_mask_moves(training: Training) -> None:
    """PEFT makes adapters trainable, or not, as it likes."""
    kept = training.adapters.keep_best(2)
    best = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    training.move()
    assert weights_sha256(training.model) != kept.weights_sha256
    training.adapters.restore_best(kept.path, kept.manifest_sha256)
    assert all(torch.equal(tensor, best[name]) for name, tensor in training.model.state_dict().items())
    training.adapters.export(6, [])
    assert_trainable(training.model, training.encoder.block_map, HEAD_ALONE)
    assert all(module.training for module in training.model.modules())


@pytest.mark.parametrize("names", [["head", "layer1"], ["head", "layer1", "layer0"], ["layer0"]])
def test_any_mask_stays_as_it_is(training: Training, names: list[str]) -> None:
    apply_trainable(training.model, training.encoder.block_map, names)
    kept = training.adapters.keep_best(2)
    assert_trainable(training.model, training.encoder.block_map, names)
    training.adapters.restore_best(kept.path, kept.manifest_sha256)
    assert_trainable(training.model, training.encoder.block_map, names)


def test_a_library_that_flips_the_mask_while_it_saves_or_loads_is_put_right(training: Training) -> None:
    """As `set_adapter` does it; the calls made here leave the mask alone only as long as PEFT happens to."""
    apply_trainable(training.model, training.encoder.block_map, HEAD_ALONE)
    flips: list[int] = []

    def flip(*_: object) -> None:
        training.model.set_adapter("default")  # type: ignore[operator]
        flips.append(sum(parameter.requires_grad for parameter in training.model.parameters()))

    training.model.register_state_dict_pre_hook(flip)
    training.model.register_load_state_dict_pre_hook(flip)
    kept = training.adapters.keep_best(2)
    assert_trainable(training.model, training.encoder.block_map, HEAD_ALONE)
    saves = len(flips)
    training.adapters.restore_best(kept.path, kept.manifest_sha256)
    assert_trainable(training.model, training.encoder.block_map, HEAD_ALONE)
    assert len(flips) > saves > 0
    assert {*flips} == {2 + 8}, "head, and four matrices a layer"


def test_what_a_restored_run_exports_is_of_the_step_that_was_kept(training: Training) -> None:
    kept = training.adapters.keep_best(2)
    training.move()
    training.adapters.restore_best(kept.path, kept.manifest_sha256)
    training.adapters.export(6, [SplitScore("in_dist", {"f1": 0.5}, 5, regenerated=False)])
    identity = json.loads((training.folder / "adapter" / "weights.json").read_text())
    assert identity == {"step": 2, "weights_sha256": kept.weights_sha256}
    card = (training.folder / "adapter" / "README.md").read_text()
    assert "after 2 updates" in card
    assert "| in_dist | 0.5000 | 5 |" in card


def test_another_attempt_restores_what_the_first_one_kept(training: Training) -> None:
    training.move()
    kept = training.adapters.keep_best(2)
    again = Training(training.folder, training.config)
    again.adapters.restore_best(kept.path, kept.manifest_sha256)
    assert weights_sha256(again.model) == kept.weights_sha256


def test_older_ones_stay_until_the_controller_removes_them(training: Training) -> None:
    """A run that dies before its journal has the new one returns to the one before."""
    for step in (2, 4, 6):
        training.adapters.keep_best(step)
    kept = sorted(path.name for path in (training.folder / "best").iterdir())
    assert kept == [f"step-{step:08d}" for step in (2, 4, 6)]


def kept_and_moved(training: Training) -> SavedCheckpoint:
    kept = training.adapters.keep_best(2)
    training.move()
    return kept


@pytest.mark.parametrize("file", [name for name in FILES if name != "manifest.json"])
def test_damaged_weights_are_not_restored(training: Training, file: str) -> None:
    kept = kept_and_moved(training)
    before = weights_sha256(training.model)
    content = bytearray((kept.path / file).read_bytes())
    content[-1] ^= 1
    (kept.path / file).write_bytes(content)
    with pytest.raises(UserError, match=f"`{file}` is not what was written") as caught:
        training.adapters.restore_best(kept.path, kept.manifest_sha256)
    assert caught.value.code == "corrupt_checkpoint"
    assert weights_sha256(training.model) == before


def test_weights_that_the_journal_does_not_know_are_not_restored(training: Training) -> None:
    kept = kept_and_moved(training)
    with pytest.raises(UserError, match="its manifest is not the one that the journal knows"):
        training.adapters.restore_best(kept.path, "0" * 64)
    with pytest.raises(UserError, match="it has no manifest"):
        training.adapters.restore_best(training.folder / "best" / "step-00000009", kept.manifest_sha256)


@contextmanager
def files_of_at_most(num_bytes: int) -> Iterator[None]:
    """What a full disk or a quota does: the system refuses to write more. Python ignores its signal."""
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("num_bytes", [0, 500, 1_000, 2_000])
def test_a_refusing_disk_leaves_no_half_of_a_folder(training: Training, num_bytes: int) -> None:
    """Refused at the first file or at a later one; what was there before is as it was, and so is the mask."""
    kept = kept_and_moved(training)
    with files_of_at_most(num_bytes), pytest.raises(EnvironmentFault, match="the adapter of step 4 cannot be written"):
        training.adapters.keep_best(4)
    assert [path.name for path in (training.folder / "best").iterdir()] == ["step-00000002"]
    assert damage(kept.path, kept.manifest_sha256) is None
    assert_trainable(training.model, training.encoder.block_map, HEAD_ALONE)
    again = training.adapters.keep_best(4)
    assert damage(again.path, again.manifest_sha256) is None


def test_a_failed_export_leaves_the_one_before(training: Training) -> None:
    training.adapters.export(2, [])
    before = (training.folder / "adapter" / "manifest.json").read_bytes()
    training.move()
    # A lone surrogate is no UTF-8: an error of ours, after PEFT has written its files.
    with pytest.raises(UnicodeEncodeError):
        save_adapter(training.folder / "adapter", 4, training.model, None, "\ud800")
    assert (training.folder / "adapter" / "manifest.json").read_bytes() == before
    assert [path.name for path in training.folder.iterdir()] == ["adapter"]
