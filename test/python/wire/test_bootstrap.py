"""The bootstrap file: read once, at the start of an attempt."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from thawline.errors import UserError
from thawline.wire.bootstrap import Bootstrap, read_bootstrap

BOOTSTRAP = Bootstrap(
    endpoint="ipc:///run/thawline-abc/socket",
    server_key="s" * 40,
    public_key="p" * 40,
    secret_key="k" * 40,
    run="run",
    attempt=1,
    controller_pid=1,
)


def test_a_bootstrap_is_absent_outside_a_run() -> None:
    assert read_bootstrap({}) is None


def test_a_bootstrap_is_read_from_the_file_that_the_environment_names(tmp_path: Path) -> None:
    path = tmp_path / "bootstrap.json"
    path.write_bytes(msgspec.json.encode(BOOTSTRAP))
    assert read_bootstrap({"THAWLINE_BOOTSTRAP": str(path)}) == BOOTSTRAP
    assert BOOTSTRAP.secret_key not in repr(BOOTSTRAP)


def test_of_two_processes_one_gets_it_and_the_other_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bootstrap.json"
    path.write_bytes(msgspec.json.encode(BOOTSTRAP))
    environ = {"THAWLINE_BOOTSTRAP": str(path)}
    barrier = threading.Barrier(8)

    def take() -> str:
        barrier.wait()
        try:
            return "taken" if read_bootstrap(environ) == BOOTSTRAP else "wrong"
        except UserError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(future.result() for future in [pool.submit(take) for _ in range(8)])
    assert answers == ["bootstrap_taken"] * 7 + ["taken"]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="which cannot be read"):
        read_bootstrap({"THAWLINE_BOOTSTRAP": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "tcp://10.0.0.1:80"},
        {"endpoint": "ipc://socket"},
        {"attempt": 0},
        {"server_key": "short"},
        {"extra": 1},
        {"run": None},
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "bootstrap.json"
    path.write_text(json.dumps({**msgspec.to_builtins(BOOTSTRAP), **changes}))
    with pytest.raises(UserError, match="is not a bootstrap file of this version"):
        read_bootstrap({"THAWLINE_BOOTSTRAP": str(path)})
