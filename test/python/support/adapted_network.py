"""A network so small that PEFT's LoRA on it trains in milliseconds: two layers with adapters, and a head."""

from __future__ import annotations

import peft
import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.host.determinism import derive_generator

BLOCKS = [("top", r"\.layers\.1\..*lora_"), ("bottom", r"\.layers\.0\..*lora_")]
HEAD = r"\.head\.modules_to_save\."
SCHEDULE = {1: ["head"], 3: ["head", "top"], 5: ["head", "top", "bottom"]}
CLASSES, WIDTH = 3, 6


class Network(nn.Module):
    """Called with labels, it returns the loss too, in the manner of transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        hidden = inputs
        for layer in self.layers:
            hidden = functional.relu(layer(hidden))
        logits = self.head(hidden)
        return {"logits": logits} if labels is None else {"loss": functional.cross_entropy(logits, labels)}


def build_adapted_network() -> peft.PeftModel:
    """With all of the adapter `default` trainable."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = peft.LoraConfig(
            r=2, target_modules=["layers.0", "layers.1"], modules_to_save=["head"], init_lora_weights=False
        )
        return peft.PeftModel(Network(), config)


def draw_points(update: int, size: int = 8) -> tuple[Tensor, Tensor]:
    generator = derive_generator(0, "adapted_batch", update)
    labels = torch.randint(0, CLASSES, (size,), generator=generator)
    return torch.randn(size, 4, generator=generator) + labels[:, None], labels


def parameters_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def first_moves(history: list[dict[str, Tensor]]) -> dict[str, int]:
    """The first of the updates 1, 2, ... in which a parameter moved, for those that ever did."""
    return {
        name: update
        for name in history[0]
        for update in [next((u for u, now in enumerate(history) if not torch.equal(now[name], history[0][name])), 0)]
        if update > 0
    }
