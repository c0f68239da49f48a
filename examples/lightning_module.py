"""A LightningModule and Lightning's Trainer, with the one callback that puts it under a controller.

npx thawline attach -- python examples/lightning_module.py --output runs/lightning     finds k, and unfreezes by block
python examples/lightning_module.py --output runs/lightning                            trains alone

Both go on from `last.ckpt` in the folder `--output`, if it is there. It needs lightning, and where it
trains alone, thawline on the path (PYTHONPATH=python). The images are made up.
"""

import argparse
from pathlib import Path

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

import thawline
from thawline.integrations.lightning import ControllerCallback
from thawline.probes import ClassificationObjective
from thawline.storage.weights import weights_sha256

NUM_CLASSES = 4


class Classifier(LightningModule):
    """Images [n, 1, 8, 8] -> logits [n, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.head = nn.Linear(16, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.layer2(self.layer1(images)).mean(dim=(2, 3)))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        images, labels = batch
        return functional.cross_entropy(self(images), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        # All parameters from the start: what is frozen has no gradient, and the optimizer passes over it.
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)


def draw_points(num_points: int) -> tuple[Tensor, Tensor]:
    """Noise with a bright quarter; which quarter it is, is the class."""
    labels = torch.randint(NUM_CLASSES, (num_points,))
    images = torch.randn(num_points, 1, 8, 8)
    for quarter in range(NUM_CLASSES):
        top, left = 4 * (quarter // 2), 4 * (quarter % 2)
        images[labels == quarter, :, top : top + 4, left : left + 4] += 1
    return images, labels


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Classifier()
    images, labels = draw_points(256)
    points = TensorDataset(images, labels)
    # Its order is a function of the epoch, so that a resumed training sees what an undisturbed one does.
    sampler = DistributedSampler(points, num_replicas=1, rank=0, seed=0)
    controller = ControllerCallback(
        blocks=[("layer2", r"^layer2\."), ("layer1", r"^layer1\.")],  # From the top, nearest the head, down.
        head=r"^head\.",
        probe=thawline.Probe(
            list(zip(images[:128].split(64), labels[:128].split(64), strict=True)),
            ClassificationObjective(head_name="head"),
        ),
    )
    trainer = Trainer(
        max_epochs=arguments.epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[controller, ModelCheckpoint(arguments.output, save_last=True)],
    )
    last = arguments.output / "last.ckpt"
    trainer.fit(model, DataLoader(points, batch_size=32, sampler=sampler), ckpt_path=last if last.exists() else None)
    print(f"weights_sha256 {weights_sha256(model)}")


if __name__ == "__main__":
    main()
