"""Training as one would write it today: a DataLoader with a transform for each image, plain SGD, NCHW, float32."""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.settings import MEAN, STD

PADDING = 4
PIXEL_MEAN, PIXEL_STD = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)


class AugmentedImages(Dataset[tuple[Tensor, int]]):
    """PIL images in memory, each padded, cropped, mirrored and normalised when it is asked for, as torchvision does."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self._images = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images]
        self._labels = labels.tolist()

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self._images[index]
        width, height = image.size
        left, top = random.randint(0, 2 * PADDING), random.randint(0, 2 * PADDING)
        image = ImageOps.expand(image, PADDING).crop((left, top, left + width, top + height))
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
        return pixels.sub_(PIXEL_MEAN).div_(PIXEL_STD), self._labels[index]


class DataLoaderTraining:
    """`epoch` is one pass over the images; workers stay alive between epochs, as in a long training."""

    def __init__(
        self, network: nn.Module, images: Tensor, labels: Tensor, *, batch_size: int, workers: int, device: torch.device
    ) -> None:
        self._network = network.train()
        self._device = device
        self._loader = DataLoader(
            AugmentedImages(images, labels),
            batch_size=batch_size,
            shuffle=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",
        )
        self._optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)

    def epoch(self) -> None:
        for inputs, labels in self._loader:
            logits = self._network(inputs.to(self._device, non_blocking=True))
            loss = functional.cross_entropy(logits, labels.to(self._device, non_blocking=True))
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
