"""The text loop on hand-made questions and pairs, from welcome to closed, as the controller sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from granting_channel import GrantingChannel
from text_training import save_encoder, text_run_config, write_questions
from thawline.config import parse_config
from thawline.protocol import (
    PROTOCOL_VERSION,
    Finished,
    Ready,
    Welcome,
)
from thawline.trainers.text import train_text

pytestmark = pytest.mark.usefixtures("torch_settings")

SCHEDULE = {1: ["head", "layer1"], 4: ["head", "layer1", "layer0"]}
METRICS = ["fisher_trace", "sharpness_avg", "sharpness_worst"]
END = ["validate", "checkpoint", "evaluate"]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAWLINE_CACHE", str(tmp_path_factory.getbasetemp() / "text-cache"))


@pytest.fixture
def questions(tmp_path: Path) -> dict[str, Any]:
    return write_questions(tmp_path / "data")


def train(folder: Path, config: dict[str, Any], **channel_arguments: Any) -> GrantingChannel:
    channel = GrantingChannel(SCHEDULE, run_folder=str(folder), **channel_arguments)
    welcome = Welcome(PROTOCOL_VERSION, str(folder), {}, channel.resume_point)
    train_text(channel, parse_config(config), welcome)
    return channel


def weights_of(channel: GrantingChannel) -> str:
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    return finished.weights_sha256


def test_a_run_to_its_end(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    channel = train(tmp_path, text_run_config(encoder, questions), end_orders=END)
    ready = channel.sent_of(Ready)[0]
    print(ready)
    for x in channel.sent:
        print(x)
