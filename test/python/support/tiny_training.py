"""A training small enough to be run a hundred times: two blocks with BatchNorm and a head."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.host.determinism import derive_generator
from thawline.lockstep.abilities import Abilities, Facts, SteeredModel
from thawline.lockstep.session import Session, TrainingStopped
from thawline.lockstep.start_weights import StartWeights
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings
from thawline.steering.batch_norm import BatchNormPolicy
from thawline.steering.blocks import BlockMap, blocks_from_patterns
from thawline.steering.rates import LearningRates, ScheduledRates
from thawline.wire.channel import Channel

BLOCKS = [("top", r"^(conv2|bn2)\."), ("stem", r"^(conv1|bn1)\.")]
HEAD = r"^head\."
CLASSES = 3


class TinyNetwork(nn.Module):
    """Images [n, 1, 6, 6] -> logits [n, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(6)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        hidden = functional.relu(self.bn1(self.conv1(images)))
        hidden = functional.relu(self.bn2(self.conv2(hidden)))
        return self.head(hidden.mean(dim=(2, 3)))


def build_network(seed: int = 0) -> TinyNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TinyNetwork()


def draw_batch(update: int, size: int = 8) -> tuple[Tensor, Tensor]:
    generator = derive_generator(0, "tiny_batch", update)
    images = torch.randn(size, 1, 6, 6, generator=generator)
    labels = torch.randint(0, CLASSES, (size,), generator=generator)
    return images + labels[:, None, None, None], labels


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    """With everything that could move a frozen parameter: momentum and weight decay."""
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1)


def adamw(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)


def make_update(model: nn.Module, optimizer: torch.optim.Optimizer, update: int) -> Tensor:
    """One optimizer update on the batch of `update`; returns the loss."""
    images, labels = draw_batch(update)
    loss = functional.cross_entropy(model(images), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss


def calibrating(model: nn.Module) -> BatchNormPolicy:
    """Frozen layers are calibrated at every release, on batches that no two updates share."""
    return BatchNormPolicy(
        model, "calibrate", calibration_inputs=lambda update: [draw_batch(1000 + update)[0]], recalibrates=True
    )


class TinyTraining:
    """The network, its optimizer and its session on `channel`."""

    def __init__(
        self,
        channel: Channel,
        *,
        model: nn.Module | None = None,
        optimizer: torch.optim.Optimizer | None = None,
        rates: LearningRates | None = None,
        num_updates: int | None = 10,
        probing: bool = False,
        abilities: Abilities | None = None,
        run_folder: Path = Path("/nowhere"),
        step: int = 0,
        follows_start: bool = False,
        calibrates: bool = False,
    ) -> None:
        self.channel = channel
        self.model = build_network() if model is None else model
        self.blocks: BlockMap = blocks_from_patterns(self.model, BLOCKS, HEAD)
        self.optimizer = sgd(self.model) if optimizer is None else optimizer
        self.num_updates = num_updates
        self.session = Session(
            channel,
            SteeredModel(
                self.model,
                self.blocks,
                rates or ScheduledRates(self.optimizer, lambda update: 1 / update),
                calibrating(self.model) if calibrates else None,
                start=StartWeights(self.model, self.blocks) if follows_start else None,
            ),
            Facts(num_updates, None, "cpu", 1, 0, resumed_from=step),
            run_folder=run_folder,
            prober=tiny_prober(self.model, self.blocks) if probing else None,
            abilities=abilities,
        )

    def update(self) -> Tensor:
        self.session.before_update()
        loss = make_update(self.model, self.optimizer, self.session.step + 1)
        self.session.after_update(loss, 8)
        return loss

    def run(self) -> None:
        """The whole loop, as a trainer writes it."""
        assert self.num_updates is not None
        self.session.begin()
        try:
            while self.session.step < self.num_updates:
                self.update()
        except TrainingStopped as stopped:
            self.session.close(stopped)
        else:
            self.session.finish()


def tiny_prober(model: nn.Module, blocks: BlockMap) -> Prober:
    images, labels = draw_batch(0, 12)
    names = [name for block in (blocks.head, *blocks.blocks) for name in block.parameter_names]
    settings = ProbeSettings(seed=0, all_parameter_names=names, draws=4, iterations=2, every=2)
    objective = ClassificationObjective(head_name="head")
    return Prober(model, objective, ProbeSet.split(images, labels, batch_size=6), settings)
