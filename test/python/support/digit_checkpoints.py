"""Narrow ResNet-18s on real digits as a training leaves them: fresh, after updates of the head, and of everything."""

from __future__ import annotations

import copy
from functools import cache

import torch
from example_config import MNIST_FOLDER
from torch import Tensor, nn
from torch.nn import functional

from thawline.data.mnist import MNIST, load_mnist
from thawline.data.vision import normalize
from thawline.models.resnet import build_resnet18

TRAINING_EXAMPLES = 2000
UPDATES = 50


@cache
def digits(examples: int) -> tuple[Tensor, Tensor]:
    """The first images, normalised, [examples, 1, 28, 28], and their labels."""
    data = load_mnist(MNIST_FOLDER, MNIST, verify_checksums=False, max_train_examples=examples, max_test_examples=1)
    return normalize(data.train_images, data.mean, data.std), data.train_labels


def checkpoints(width: int, seed: int) -> dict[str, nn.Module]:
    """In evaluation mode, everything trainable: `fresh`, `head` (its updates alone), `all` (as many more of all)."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = build_resnet18(width=width, in_channels=1, num_classes=10)
    head = _updated(fresh, "head.", seed)
    return {"fresh": fresh.eval(), "head": head, "all": _updated(head, "", seed + 1)}


def _updated(network: nn.Module, prefix: str, seed: int) -> nn.Module:
    """A copy after updates of the parameters whose names begin so; BatchNorm follows its batches, as in a training."""
    trained = copy.deepcopy(network).train()
    images, labels = digits(TRAINING_EXAMPLES)
    parameters = [parameter for name, parameter in trained.named_parameters() if name.startswith(prefix)]
    optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(UPDATES):
        chosen = torch.randint(0, TRAINING_EXAMPLES, (64,), generator=generator)
        trained.zero_grad()
        functional.cross_entropy(trained(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    trained.zero_grad()
    return trained.eval()
