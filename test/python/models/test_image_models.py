from __future__ import annotations

from typing import Any, get_args

import torch

from thawline.config.run import ModelConfig, ResNet18Config, VGG11Config
from thawline.models.family import ImageTask
from thawline.models.image_models import MODELS
from thawline.models.resnet import Stem


def test_every_model_that_may_be_configured_has_a_row() -> None:
    assert set(MODELS) == set(get_args(ModelConfig))


def test_our_own_networks_run_their_layers_in_the_order_of_their_definition() -> None:
    """What `runs_in_definition_order` promises: each child once, in order."""
    task = ImageTask(torch.zeros(2, 3, 32, 32), num_classes=4)
    called: list[str] = []
    none: dict[str, Any] = {"weights": None, "weights_sha256": None, "weights_head": "fitting"}
    resnets = [ResNet18Config(stem=stem, width=2, **none) for stem in get_args(Stem)]
    for config in (*resnets, VGG11Config(batch_norm=True, dropout=0.5, head_width=4, **none)):
        family = MODELS[type(config)]
        assert family.runs_in_definition_order
        called.clear()
        model = family.build(config, task)
        for name, child in model.named_children():
            child.register_forward_hook(lambda *_, name=name: called.append(name))
        assert model(task.examples).shape == (2, 4)
        assert called == [name for name, _ in model.named_children()]
        assert family.blocks(config, model).num_params == sum(p.numel() for p in model.parameters())
