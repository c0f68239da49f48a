"""What is no whole safetensors file is refused by its header; what is one comes back bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from malformed_tensor_files import GOOD, MALFORMED_TENSOR_FILES
from memory_peak import memory_peak
from safetensors.torch import load_file, save, save_file

from thawline import tensor_files
from thawline.errors import UserError
from thawline.tensor_files import damage_of_bytes, damage_of_file, load_tensors

MEGABYTE = 1 << 20
TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool]
TENSORS = {
    **{str(dtype): torch.arange(6).reshape(2, 3).to(dtype) for dtype in TYPES},
    "scalar": torch.tensor(1.5),
    "none": torch.empty(0, 4),
    'a name with } and \\ and " and € and \x1b': torch.ones(1),
}


def test_there_are_enough_of_them() -> None:
    assert len(MALFORMED_TENSOR_FILES) >= 50


@pytest.mark.parametrize("name", MALFORMED_TENSOR_FILES)
def test_a_malformed_file_is_a_user_error_within_bounded_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(MALFORMED_TENSOR_FILES[name])
    with memory_peak() as peak, pytest.raises(UserError) as caught:
        load_tensors(path, code="corrupt_checkpoint", hint="fetch it again")
    assert peak.bytes < 6 * path.stat().st_size + 4 * MEGABYTE
    assert caught.value.message.startswith(f"`{path}` is no file of tensors that can be read: ")
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 200
    assert (caught.value.code, caught.value.hint) == ("corrupt_checkpoint", "fetch it again")
    assert damage_of_bytes(path.read_bytes()) is not None


@pytest.mark.parametrize("metadata", [None, {"format": "pt", "a {brace}": 'and a "quote"'}])
def test_a_whole_file_comes_back_bit_for_bit(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path, metadata=metadata)
    tensors = load_tensors(path, code="any", hint="")
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in load_file(path).items():
        assert tensors[name].dtype == tensor.dtype == TENSORS[name].dtype
        assert torch.equal(tensors[name], TENSORS[name])


def test_a_file_of_no_tensors_is_whole() -> None:
    assert damage_of_bytes(save({})) is None


def test_a_header_longer_than_any_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write((1 << 32).to_bytes(8, "little") + b"{")
        file.truncate(1 << 33)  # takes no room on the disk
    with memory_peak() as peak:
        why = damage_of_file(path)
    assert why == f"its header has 4,294,967,296 bytes, more than {tensor_files.MAX_HEADER_BYTES:,}"
    assert peak.bytes < MEGABYTE


def test_the_number_of_tensors_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = {str(number): torch.empty(0) for number in range(1001)}
    assert damage_of_bytes(save(tensors)) is None
    monkeypatch.setattr(tensor_files, "MAX_TENSORS", 1000)
    assert damage_of_bytes(save(tensors)) == "it has more than 1,000 tensors"


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert damage_of_file(tmp_path) == "it is no file"
    assert damage_of_file(tmp_path / "none") == "it cannot be opened (No such file or directory)"


@given(st.data())
def test_damage_is_found_or_is_in_the_numbers_alone(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """What is let through, safetensors reads: nobody sees an error of its own."""
    content = bytearray(data.draw(st.sampled_from([GOOD, save(TENSORS), *MALFORMED_TENSOR_FILES.values()]))[:3000])
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content)))
        content[position : position + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    if damage_of_bytes(bytes(content)) is None:
        path = tmp_path_factory.mktemp("damaged") / "x.safetensors"
        path.write_bytes(content)
        load_file(path)
