"""Hello and its answers."""

from __future__ import annotations

import json
import os
import platform
import re
import tomllib
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

from thawline.errors import UserError
from thawline.wire.channel import ScriptedChannel
from thawline.wire.handshake import (
    TEXT_PACKAGES,
    VERSIONED_PACKAGES,
    Rejected,
    cpu_model,
    shake_hands,
    software_versions,
)
from thawline.wire.protocol import PROTOCOL_VERSION, ControllerBody, Hello, Reject, Stop, Welcome

ROOT = Path(__file__).parents[3]
WELCOME = Welcome(PROTOCOL_VERSION, "/runs/a", {"seed": 1}, None)


def test_hello_says_who_this_is_and_welcome_comes_back() -> None:
    channel = ScriptedChannel([WELCOME])
    assert shake_hands(channel, 3) == WELCOME
    (hello,) = channel.sent
    assert isinstance(hello, Hello)
    assert (hello.protocol, hello.pid, hello.attempt) == (PROTOCOL_VERSION, os.getpid(), 3)
    assert hello.versions == software_versions()


def test_a_rejection_speaks_in_the_controllers_words() -> None:
    channel = ScriptedChannel([Reject("incompatible", "the protocol is 2", "install thawline 2")])
    with pytest.raises(Rejected) as caught:
        shake_hands(channel, 1)
    assert isinstance(caught.value, UserError)
    assert (caught.value.code, caught.value.message, caught.value.hint) == (
        "incompatible",
        "the protocol is 2",
        "install thawline 2",
    )


def test_anything_else_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="expected welcome, got Stop"):
        shake_hands(ScriptedChannel([Stop("operator", False)]), 1)


def test_versions_that_may_change_a_result_are_named() -> None:
    versions = software_versions()
    assert versions["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert versions["python"] == platform.python_version()
    assert {"numpy", "scipy", "safetensors", "machine", "cpu"} <= versions.keys()
    assert all(versions.values())


def test_packages_are_those_that_a_worker_and_the_text_side_are_told_to_have() -> None:
    modules = json.loads((ROOT / "python" / "modules.json").read_text())
    assert set(VERSIONED_PACKAGES) <= set(modules["worker"].values())
    # What the text side has, the controller passes over for a run on images: it takes the whole list.
    assert set(TEXT_PACKAGES) <= set(modules["text"].values())


def test_packaging_asks_for_the_modules_that_are_looked_for() -> None:
    modules = json.loads((ROOT / "python" / "modules.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {name: set(map(bare_name, names)) for name, names in project["optional-dependencies"].items()}
    assert set(map(bare_name, project["dependencies"])) == set(modules["worker"].values())
    assert extras["text"] == set(modules["text"].values())
    assert extras["test"] | extras["lightning"] == set(modules["test"].values())


def bare_name(requirement: str) -> str:
    """`torch` for `torch>=2.6`."""
    return re.split("[<>=~!]", requirement)[0]


def test_processors_that_share_a_name_are_told_apart(tmp_path: Path) -> None:
    described = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: {}\nmodel name\t: AMD EPYC\nflags\t\t: fpu\n"
    names = []
    for model in (1, 17):
        (tmp_path / "cpuinfo").write_text(described.format(model) * 2)
        names.append(cpu_model(tmp_path / "cpuinfo"))
    assert names == ["AMD EPYC (family 25, model 1)", "AMD EPYC (family 25, model 17)"]
    (tmp_path / "cpuinfo").write_text("Features : fp asimd\n")
    assert cpu_model(tmp_path / "cpuinfo") == cpu_model(tmp_path / "none") == (platform.processor() or "unknown")


def test_packages_of_the_text_side_are_named_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"torch": "2", "numpy": "2", "scipy": "1", "safetensors": "0", "peft": "0.21"}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "version", version)
    versions = software_versions()
    assert versions["peft"] == "0.21"
    assert "transformers" not in versions


def test_a_controller_that_never_answers_is_not_waited_for_without_a_limit() -> None:
    class Silent(ScriptedChannel):
        def receive(self, timeout: float | None = None) -> ControllerBody:
            assert timeout is not None
            raise TimeoutError

    with pytest.raises(UserError, match=r"the controller did not answer within 0\.5 s"):
        shake_hands(Silent(), 1, timeout=0.5)
