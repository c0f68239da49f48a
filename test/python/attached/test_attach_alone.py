"""A user's own loop without a controller: nothing happens, and mistakes show all the same."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_training import BLOCKS, build_network, sgd
from torch import nn

import thawline
from thawline.attached import attach as attached
from thawline.errors import UserError
from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)
    attached._say_once_that_nothing_happens.cache_clear()


@pytest.mark.usefixtures("alone")
def test_without_a_controller_nothing_is_touched() -> None:
    model = build_network()
    optimizer = sgd(model)
    random_state = torch.get_rng_state()
    unread = nn.Parameter(torch.tensor(float("nan")))
    with thawline.attach(model, optimizer, blocks=BLOCKS, resumed_from=2) as run:
        run.before_update()
        run.after_update(unread)
        assert all(parameter.requires_grad for parameter in model.parameters())
        assert not optimizer._optimizer_step_pre_hooks
    assert (run.step, run.stopped) == (3, False)
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.usefixtures("alone")
def test_without_a_controller_one_line_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    model = build_network()
    with caplog.at_level(logging.WARNING, logger="thawline"):
        for _ in range(3):
            with thawline.attach(model, sgd(model), blocks=BLOCKS):
                pass
    assert [BOOTSTRAP_VARIABLE in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.usefixtures("alone")
def test_mistakes_show_without_a_controller_too() -> None:
    model = build_network()
    with pytest.raises(UserError, match="`blocks`"), thawline.attach(model, sgd(model), blocks="top"):
        pass


@pytest.mark.usefixtures("alone")
def test_an_exception_without_a_controller_is_the_users_own() -> None:
    model = build_network()
    with pytest.raises(ZeroDivisionError), thawline.attach(model, sgd(model), blocks=BLOCKS):
        raise ZeroDivisionError


def test_the_package_exports_what_it_says_and_stays_light() -> None:
    program = """
import sys, thawline
print([name for name in ("torch", "msgspec", "zmq") if name in sys.modules])
thawline.PROTOCOL_VERSION
print("torch" in sys.modules, all(callable(thawline.attach) for _ in range(2)), thawline.Probe.__name__)
print(thawline.TrainingStopped("finished").reason)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "python", capture_output=True, text=True, check=True
    )
    assert finished.stdout.split("\n") == ["[]", "False True Probe", "finished", ""]
    with pytest.raises(AttributeError, match="attache"):
        _ = thawline.attache
