"""The updates of thawline's vision trainer, without its session."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.settings import MEAN, STD
from thawline.data.vision import augment_batch, batch_indices, normalize
from thawline.trainers.memory_format import memory_format_for

SEED = 0


class VisionTraining:
    """`run(n)` makes n updates of what is trainable in `network`, channels_last, on images uint8 [N, 3, 32, 32]."""

    def __init__(
        self, network: nn.Module, images: Tensor, labels: Tensor, *, batch_size: int, device: torch.device
    ) -> None:
        self._network = network
        self._memory_format = memory_format_for(network, device)
        self._images, self._labels = images.to(device), labels.to(device)
        self._batch_size = batch_size
        self._optimizer = torch.optim.SGD(
            network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=device.type != "cpu"
        )
        self._update = 0

    def run(self, updates: int) -> None:
        for _ in range(updates):
            self._update += 1
            batch = batch_indices(
                self._update, num_examples=len(self._labels), batch_size=self._batch_size, seed=SEED
            ).to(self._labels.device)
            examples = augment_batch(self._images[batch], padding=4, flip=True, seed=SEED, update=self._update)
            inputs = normalize(examples, MEAN, STD, memory_format=self._memory_format)
            loss = functional.cross_entropy(self._network(inputs), self._labels[batch])
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
