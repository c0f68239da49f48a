from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from thawline.storage.sealed_folder import write_sealed


@pytest.fixture(params=[0, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def write(draft: Path) -> None:
    (draft / "text").write_text("text")
    # The mode of its files is not that of the umask.
    save_file({"a": torch.zeros(2)}, draft / "a.safetensors")


def modes(folder: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}


@pytest.mark.parametrize(("of_run", "folder", "file"), [(0o700, "0o700", "0o600"), (0o750, "0o750", "0o640")])
def test_what_a_run_stores_is_for_those_who_may_read_its_folder(
    tmp_path: Path, umask: int, of_run: int, folder: str, file: str
) -> None:
    tmp_path.chmod(of_run)
    write_sealed(tmp_path / "checkpoints" / "step-1", 1, write)
    assert modes(tmp_path) | modes(tmp_path / "checkpoints") == {folder}
    assert modes(tmp_path / "checkpoints" / "step-1") == {file}


def test_what_is_to_be_handed_on_has_the_modes_of_the_umask(tmp_path: Path, umask: int) -> None:
    write_sealed(tmp_path / "adapter", 1, write, shared=True)
    assert modes(tmp_path) == {oct(0o777 & ~umask)}
    assert modes(tmp_path / "adapter") == {oct(0o666 & ~umask)}


def test_a_run_folder_that_is_gone_does_not_come_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_sealed(tmp_path / "gone" / "checkpoints" / "step-1", 1, write)
    assert list(tmp_path.iterdir()) == []
