"""Checkpoints continue a training bit for bit, and one that is not what was written is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from granting_channel import GrantingChannel
from hypothesis import given
from hypothesis import strategies as st
from malformed_tensor_files import MALFORMED_TENSOR_FILES
from tiny_training import TinyTraining, adamw, build_network, make_update, sgd
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.storage.checkpoint import SavedCheckpoint, load_checkpoint, restore_training, save_checkpoint
from thawline.storage.sealed_folder import write_sealed
from thawline.storage.weights import weights_sha256

SCHEDULE = {1: ["head"], 4: ["head", "top"], 8: ["head", "top", "stem"]}
FILES = ("model.safetensors", "optimizer.safetensors", "extra.safetensors", "state.json", "manifest.json")


def plain_sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.05)


def build(memory_format: torch.memory_format, seed: int = 0) -> nn.Module:
    return build_network(seed).to(memory_format=memory_format)


@pytest.fixture
def saved(tmp_path: Path) -> SavedCheckpoint:
    model = build_network()
    optimizer = sgd(model)
    make_update(model, optimizer, 1)
    extra = {"random/cpu": torch.get_rng_state()}
    return save_checkpoint(tmp_path, 1, model=model, optimizer=optimizer, extra=extra)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("make_optimizer", [sgd, adamw, plain_sgd])
@pytest.mark.parametrize("interrupted_after", [1, 5])
def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, make_optimizer: Callable, memory_format: torch.memory_format, interrupted_after: int
) -> None:
    whole = build(memory_format)
    TinyTraining(GrantingChannel(SCHEDULE), model=whole, optimizer=make_optimizer(whole)).run()

    first = build(memory_format)
    optimizer = make_optimizer(first)
    training = TinyTraining(GrantingChannel(SCHEDULE), model=first, optimizer=optimizer)
    training.session.begin()
    for _ in range(interrupted_after):
        training.update()
    saved = save_checkpoint(tmp_path, interrupted_after, model=first, optimizer=optimizer, extra={})
    assert saved.weights_sha256 == weights_sha256(first)

    # Another seed: everything must come from the checkpoint.
    second = build(memory_format, seed=1)
    optimizer = make_optimizer(second)
    loaded = load_checkpoint(saved.path, saved.manifest_sha256)
    restore_training(loaded, second, optimizer)
    assert weights_sha256(second) == saved.weights_sha256
    TinyTraining(GrantingChannel(SCHEDULE), model=second, optimizer=optimizer, step=loaded.step).run()
    assert weights_sha256(second) == weights_sha256(whole)


def strides(tensor: Tensor) -> list[int]:
    """Of the axes longer than one; the stride of an axis of length one means nothing."""
    return [stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1]


@pytest.mark.parametrize("make_optimizer", [sgd, adamw])
def test_weights_and_optimizer_state_keep_their_strides_and_types(tmp_path: Path, make_optimizer: Callable) -> None:
    def described(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, object]:
        found: dict[str, object] = {name: strides(tensor) for name, tensor in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            for entry, value in optimizer.state[parameter].items():
                found[f"{entry}/{name}"] = (strides(value), value.dtype, value.device)
        return found

    model = build(torch.channels_last)
    optimizer = make_optimizer(model)
    make_update(model, optimizer, 1)
    saved = save_checkpoint(tmp_path, 1, model=model, optimizer=optimizer, extra={})
    again = build(torch.channels_last, seed=1)
    restored = make_optimizer(again)
    restore_training(load_checkpoint(saved.path, saved.manifest_sha256), again, restored)
    assert described(again, restored) == described(model, optimizer)
    assert again.conv2.weight.is_contiguous(memory_format=torch.channels_last)


def test_extra_tensors_come_back(saved: SavedCheckpoint) -> None:
    loaded = load_checkpoint(saved.path, saved.manifest_sha256)
    assert torch.equal(loaded.extra["random/cpu"], torch.get_rng_state())
    assert (loaded.step, saved.path.name) == (1, "step-00000001")


def test_tensors_that_share_memory_or_are_no_row_major_block_are_saved(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    extra = {"whole": base, "column": base[:, 1], "transposed": base.T}
    model = build_network()
    saved = save_checkpoint(tmp_path, 0, model=model, optimizer=sgd(model), extra=extra)
    loaded = load_checkpoint(saved.path, saved.manifest_sha256).extra
    assert all(torch.equal(loaded[name], tensor) for name, tensor in extra.items())


def test_a_checkpoint_of_another_model_is_not_restored(saved: SavedCheckpoint) -> None:
    other = nn.Linear(2, 2)
    with pytest.raises(AssertionError, match="another model"):
        restore_training(load_checkpoint(saved.path, saved.manifest_sha256), other, sgd(other))


def test_saving_a_step_again_replaces_it_and_removes_drafts(saved: SavedCheckpoint, tmp_path: Path) -> None:
    left_over = tmp_path / ".draft-00000001-1"
    left_over.mkdir()
    (left_over / "model.safetensors").write_bytes(b"half")
    model = build_network(seed=5)
    again = save_checkpoint(tmp_path, 1, model=model, optimizer=sgd(model), extra={})
    assert load_checkpoint(again.path, again.manifest_sha256).step == 1
    assert again.manifest_sha256 != saved.manifest_sha256
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def load_error(saved: SavedCheckpoint) -> UserError:
    with pytest.raises(UserError) as caught:
        load_checkpoint(saved.path, saved.manifest_sha256)
    assert caught.value.code == "corrupt_checkpoint"
    assert str(saved.path) in caught.value.message
    return caught.value


def test_every_file_is_needed(saved: SavedCheckpoint) -> None:
    assert sorted(path.name for path in saved.path.iterdir()) == sorted(FILES)
    for name in FILES:
        file = saved.path / name
        content = file.read_bytes()
        file.unlink()
        assert name.removesuffix(".json") in load_error(saved).message
        file.write_bytes(content)
    load_checkpoint(saved.path, saved.manifest_sha256)


@given(st.data())
def test_any_damage_to_any_file_is_found_and_names_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    model = build_network()
    optimizer = sgd(model)
    make_update(model, optimizer, 1)
    saved = save_checkpoint(folder, 1, model=model, optimizer=optimizer, extra={"x": torch.ones(3)})
    name = data.draw(st.sampled_from(FILES))
    file = saved.path / name
    content = bytearray(file.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(["flip", "truncate", "append", "insert"])):
        case "flip":
            content[position] ^= 1 << data.draw(st.integers(0, 7))
        case "truncate":
            del content[position:]
        case "append":
            content += b"\0"
        case "insert":
            content.insert(position, 0)
    file.write_bytes(content)
    assert name.removesuffix(".json") in load_error(saved).message


def test_a_checkpoint_that_the_journal_does_not_know_is_refused(saved: SavedCheckpoint) -> None:
    """Files and manifest agree with each other, yet they are not those that were announced."""
    model = build_network(seed=9)
    other = save_checkpoint(saved.path.parent / "other", 1, model=model, optimizer=sgd(model), extra={})
    shutil.rmtree(saved.path)
    other.path.rename(saved.path)
    assert "journal" in load_error(saved).message


def test_a_checkpoint_that_is_not_there_is_refused(saved: SavedCheckpoint) -> None:
    shutil.rmtree(saved.path)
    load_error(saved)


@pytest.mark.parametrize("part", FILES[:3])
def test_a_sealed_folder_whose_files_hold_no_tensors_is_refused(tmp_path: Path, part: str) -> None:
    """Such a checkpoint is somebody's own make: manifest and journal agree with it."""
    for number, name in enumerate([*MALFORMED_TENSOR_FILES][::8]):
        model = build_network()
        saved = save_checkpoint(tmp_path / str(number), 1, model=model, optimizer=sgd(model), extra={})
        content = {file.name: file.read_bytes() for file in saved.path.iterdir() if file.name != "manifest.json"}
        content[part] = MALFORMED_TENSOR_FILES[name]

        def write(draft: Path, content: dict[str, bytes] = content) -> None:
            for file, written in content.items():
                (draft / file).write_bytes(written)

        manifest_sha256 = write_sealed(saved.path, 1, write)
        with pytest.raises(UserError, match=f"{part}` is no file of tensors that can be read: ") as caught:
            load_checkpoint(saved.path, manifest_sha256)
        assert caught.value.code == "corrupt_checkpoint"
