"""The networks' layers as stages of the probes: what is frozen runs once for the probe set."""

from __future__ import annotations

import warnings

import pytest
import torch
from example_config import NO_WEIGHTS, run_config
from torch import Tensor, nn

from thawline.config.run import parse_config
from thawline.data.vision import ImageInputs, VisionData
from thawline.steering.freezing import apply_trainable
from thawline.trainers.vision_parts import VisionParts, build_model, build_prober

pytestmark = pytest.mark.usefixtures("torch_settings")

NETWORKS = {
    "resnet18": {"kind": "resnet18", **NO_WEIGHTS, "stem": "cifar", "width": 2},
    "stem of ImageNet": {"kind": "resnet18", **NO_WEIGHTS, "stem": "imagenet", "width": 2},
    "vgg11": {"kind": "vgg11", **NO_WEIGHTS, "batch_norm": True, "dropout": 0.5, "head_width": 4},
}


@pytest.fixture
def data() -> VisionData:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (8, 1, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.arange(8) % 4
    return VisionData(images, labels, images, labels, num_classes=4, mean=(0.5,), std=(0.25,))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The convolutions that were computed, one entry a time."""
    computed: list[nn.Module] = []
    original = nn.Conv2d.forward

    def forward(self: nn.Conv2d, inputs: Tensor) -> Tensor:
        computed.append(self)
        return original(self, inputs)

    monkeypatch.setattr(nn.Conv2d, "forward", forward)
    return computed


@pytest.mark.parametrize("kind", NETWORKS)
def test_wherever_the_frozen_part_ends_it_runs_once(kind: str, data: VisionData, calls: list[nn.Module]) -> None:
    document = run_config(probe={"points": 8, "batch_size": 8, "estimator": "batch"})
    document["model"] = NETWORKS[kind]
    config = parse_config(document)
    model, blocks = build_model(config, data)
    inputs = ImageInputs(data.normalization, torch.device("cpu"))
    prober = build_prober(config, VisionParts(model, blocks, data, inputs))
    trainable = ["head"]
    for number, block in enumerate(blocks.blocks[:-1], start=1):
        trainable.append(block.name)
        apply_trainable(model, blocks, trainable)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="the frozen layers are computed again")
            first = prober.measure(10 * number, ["fisher_trace"])[0]
            calls.clear()
            again = prober.measure(10 * number, ["fisher_trace"])[0]
        assert again.value == first.value
        weights = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
        assert set(calls) == {module for module in weights if module.weight.requires_grad}
