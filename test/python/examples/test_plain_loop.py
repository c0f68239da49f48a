"""The example under a real connection, alone, and as it was before the three lines."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from example_config import attached_config
from example_process import ENVIRONMENT, ROOT
from granting_channel import GrantingChannel
from served_channel import open_router, serve

from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE
from thawline.wire.protocol import Applied, Boundary, Finished

EXAMPLE = ROOT / "examples" / "plain_loop.py"


def test_the_example_under_a_controller(tmp_path: Path) -> None:
    channel = GrantingChannel(
        {1: ["head"], 20: ["head", "conv2"]}, metrics=["fisher_trace"], probe_every=10, config=attached_config()
    )

    with open_router(tmp_path) as (router, file):
        environment = {**ENVIRONMENT, BOOTSTRAP_VARIABLE: str(file)}
        with subprocess.Popen(
            [sys.executable, str(EXAMPLE)], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            serve(router, channel)
            output, _ = process.communicate()

    assert process.returncode == 0
    assert [len(body.metrics) > 0 for body in channel.sent_of(Boundary)] == [True] * 7 + [False]
    assert [body.update for body in channel.sent_of(Applied)] == [1, 20]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert f"weights_sha256 {finished.weights_sha256}" in output


@pytest.mark.usefixtures("torch_settings")
def test_the_example_ends_with_the_same_weights_with_and_without_the_three_lines(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    alone = subprocess.run([sys.executable, str(EXAMPLE)], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "weights_sha256 " in alone.stdout
    assert alone.stderr.count("\n") == 1
    assert BOOTSTRAP_VARIABLE in alone.stderr

    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "--without-thawline"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    without = capfd.readouterr()
    assert without.out == alone.stdout
    assert without.err == ""
