"""A network of three blocks with BatchNorm, and what the paper's text says its training does: no flags, no optimizer.

The reference computes gradients of the parameters that train and of no others, and updates them by hand, as
torch.optim.SGD defines momentum and weight decay. It shares no code with the worker's side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.host.determinism import derive_generator

# Top first, as the controller names them.
BLOCKS = [("top", r"^(conv3|bn3)\."), ("middle", r"^(conv2|bn2)\."), ("stem", r"^(conv1|bn1)\.")]
HEAD = r"^head\."
LAYERS = {"head": ["head"], "top": ["conv3", "bn3"], "middle": ["conv2", "bn2"], "stem": ["conv1", "bn1"]}
CLASSES = 3

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.05, 0.9, 0.1
CALIBRATION_BATCHES = 16

FrozenBatchNorm = Literal["track", "hold", "calibrate"]


class ThreeBlocks(nn.Module):
    """Images [n, 1, 5, 5] -> logits [n, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.bn2 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv3, self.bn3 = nn.Conv2d(4, 5, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(5)
        self.head = nn.Linear(5, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        hidden = functional.relu(self.bn1(self.conv1(images)))
        hidden = functional.relu(self.bn2(self.conv2(hidden)))
        hidden = functional.relu(self.bn3(self.conv3(hidden)))
        return self.head(hidden.mean(dim=(2, 3)))


def build_three_blocks() -> ThreeBlocks:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ThreeBlocks()


def draw_batch(update: int, size: int = 6) -> tuple[Tensor, Tensor]:
    generator = derive_generator(0, "three_blocks_batch", update)
    images = torch.randn(size, 1, 5, 5, generator=generator)
    labels = torch.randint(0, CLASSES, (size,), generator=generator)
    return images + labels[:, None, None, None], labels


def calibration_inputs(update: int) -> Iterator[Tensor]:
    for batch in range(CALIBRATION_BATCHES):
        yield torch.randn(4, 1, 5, 5, generator=derive_generator(0, "three_blocks_calibration", update, batch)) * 2 + 1


def schedule(update: int) -> float:
    """The worker's own, which the intervention's factor multiplies."""
    return 1 / (1 + 0.1 * update)


@dataclass(frozen=True)
class Intervention:
    """What a user writes under `intervention`; `unfreezing_order` is what `order` comes to."""

    kind: Literal["gradual_unfreezing", "head_then_full", "learning_rate_switch", "none"]
    unfreezing_order: Sequence[str]
    k: int | None = None
    start: int = 1
    order: Literal["top_down", "bottom_up", "random"] = "top_down"
    first_unfreeze: Literal["next", "paper41"] = "next"
    before: float = 1.0
    after: float = 1.0
    release_warmup: int | None = None

    def unfrozen_in(self, update: int) -> list[str]:
        """Blocks that Algorithm 1 unfreezes before `update`, its index i counted from the start."""
        i, length = update - self.start + 1, len(self.unfreezing_order)
        assert self.k is not None
        if i < 1 or i % self.k:
            return []
        # [41] spends its first multiple of k on a block that is trained already.
        multiple = i // self.k - (1 if self.first_unfreeze == "paper41" else 0)
        if self.kind == "head_then_full":
            return list(self.unfreezing_order) if multiple == 1 else []
        return [self.unfreezing_order[multiple - 1]] if 1 <= multiple <= length else []

    def factor_in(self, update: int) -> float:
        if self.kind != "learning_rate_switch":
            return 1.0
        assert self.k is not None
        return self.before if self.start <= update < self.start - 1 + self.k else self.after

    def ramp_in(self, update: int, released: int) -> float:
        """Of a block that was released before update `released`: i / W in the W updates from there on."""
        warmup = self.release_warmup
        return 1.0 if warmup is None else min(1.0, (update - released + 1) / warmup)


@dataclass(frozen=True)
class Snapshot:
    """Parameters and buffers by name, and the momentum of every parameter that has ever been updated."""

    state: dict[str, Tensor]
    momentum: dict[str, Tensor]


class Reference:
    """The training that the paper's text describes, one update at a time."""

    def __init__(self, intervention: Intervention, frozen_batch_norm: FrozenBatchNorm) -> None:
        self.model = build_three_blocks()
        self.momentum: dict[str, Tensor] = {}
        self._intervention = intervention
        self._frozen_batch_norm = frozen_batch_norm
        self._trained = list(LAYERS)
        self._released: dict[str, int] = {}

    def update(self, update: int) -> None:
        if self._intervention.kind in ("gradual_unfreezing", "head_then_full"):
            self._freeze_and_unfreeze(update)
        self._set_batch_norm_modes()
        self._descend(update, LEARNING_RATE * schedule(update) * self._intervention.factor_in(update))

    def snapshot(self) -> Snapshot:
        return Snapshot(copies(self.model.state_dict()), copies(self.momentum))

    def _freeze_and_unfreeze(self, update: int) -> None:
        if update == self._intervention.start:
            self._trained = ["head"]
            self._calibrate(update)
        unfrozen = self._intervention.unfrozen_in(update)
        self._trained += unfrozen
        self._released |= dict.fromkeys(unfrozen, update)
        # What flows into layers that stay frozen changes, unless the blocks come from the top.
        if unfrozen and self._intervention.order != "top_down":
            self._calibrate(update)

    def _frozen_norms(self) -> list[nn.BatchNorm2d]:
        frozen = [layer for block, layers in LAYERS.items() if block not in self._trained for layer in layers]
        return [layer for name, layer in self.model.named_children() if name in frozen and name.startswith("bn")]

    def _set_batch_norm_modes(self) -> None:
        self.model.train()
        if self._frozen_batch_norm != "track":
            for layer in self._frozen_norms():
                layer.eval()

    def _calibrate(self, update: int) -> None:
        frozen = self._frozen_norms()
        if self._frozen_batch_norm != "calibrate" or not frozen:
            return
        self.model.eval()
        for layer in frozen:
            layer.train().reset_running_stats()
            layer.momentum = None
        with torch.no_grad():
            for inputs in calibration_inputs(update):
                self.model(inputs)
        for layer in frozen:
            layer.momentum = 0.1

    def _descend(self, update: int, learning_rate: float) -> None:
        images, labels = draw_batch(update)
        loss = functional.cross_entropy(self.model(images), labels)
        layers = {layer: block for block in self._trained for layer in LAYERS[block]}
        chosen = [(name, p) for name, p in self.model.named_parameters() if name.split(".")[0] in layers]
        gradients = torch.autograd.grad(loss, [parameter for _, parameter in chosen])
        with torch.no_grad():
            for (name, parameter), gradient in zip(chosen, gradients, strict=True):
                direction = gradient.add(parameter, alpha=WEIGHT_DECAY)
                known = self.momentum.get(name)
                self.momentum[name] = direction if known is None else known.mul(MOMENTUM).add(direction)
                released = self._released.get(layers[name.split(".")[0]])
                ramp = 1.0 if released is None else self._intervention.ramp_in(update, released)
                parameter.add_(self.momentum[name], alpha=-learning_rate * ramp)


def copies(tensors: dict[str, Any]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}
