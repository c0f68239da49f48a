"""What a probe has to know about a task: its logits and its loss, example by example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from thawline.allocation import freed_memory_is_kept

# A batch is whatever the objective understands: a tensor, or a tuple, list or mapping of tensors (nested at will)
# whose first dimension is the example.
Batch = Any

# Examples in a micro-batch. On a CPU that gives freed memory back, the activations of more than 64 images cost page
# faults each time: forward passes of 256 took up to 1.7 times as long, per-example gradients up to 1.9 times. Where it
# is kept, 128 are up to 1.5 times faster than 64 in narrow networks, and as fast in wide ones.
_SIZE_WHERE_MEMORY_IS_GIVEN_BACK = 64
_SIZE_WHERE_MEMORY_IS_KEPT = 128


@runtime_checkable
class Objective(Protocol):
    """The least a probe needs. Both methods run the model, and examples must not influence each other."""

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        """One tensor [examples, classes] per independent softmax: log p(y|x) is the sum of their log-probabilities."""

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """The training loss of each example, [examples]; its mean is the L of equations 3 and 4."""


@runtime_checkable
class LabelledObjective(Objective, Protocol):
    """Needed only for `labels: true`, the empirical Fisher."""

    def labels(self, batch: Batch) -> list[Tensor]:
        """The true labels, int64 [examples], one tensor per independent softmax."""


@runtime_checkable
class LinearHeadObjective(Objective, Protocol):
    """Allows the closed and batched forms on cached features while only a linear head is in scope."""

    def head(self, model: nn.Module) -> nn.Linear | None:
        """The linear layer whose output is the only logits tensor; None when the model does not end in one."""

    def logits_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss of each example from logits [..., examples, classes], as [..., examples]; agrees with `loss`."""


@runtime_checkable
class LayeredHeadObjective(Objective, Protocol):
    """Says where the features enter a head of several layers, which has no closed forms."""

    def first_layer(self, model: nn.Module) -> nn.Module | None:
        """The layer of the head whose input, one vector a point, are the features; None when there is none."""


class ClassificationObjective:
    """Cross-entropy of one softmax over `model(inputs)`, for batches (inputs, labels).

    `head_name` names the linear layer that makes the logits ("fc"), if there is one. `first_layer_name` names the
    layer that reads the features, where that is another. Losses are taken in float64 from the model's own logits, so
    that small differences between two losses are not lost to the last rounding.
    """

    def __init__(self, head_name: str | None = None, first_layer_name: str | None = None) -> None:
        self.head_name = head_name
        self.first_layer_name = first_layer_name

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        inputs, _ = batch
        return [model(inputs)]

    def labels(self, batch: Batch) -> list[Tensor]:
        _, labels = batch
        return [labels]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        return self.logits_loss(self.logits(model, batch)[0], batch)

    def logits_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        (labels,) = self.labels(batch)
        return cross_entropy(logits, labels)

    def head(self, model: nn.Module) -> nn.Linear | None:
        module = None if self.head_name is None else model.get_submodule(self.head_name)
        return module if isinstance(module, nn.Linear) else None

    def first_layer(self, model: nn.Module) -> nn.Module | None:
        return self.head(model) if self.first_layer_name is None else model.get_submodule(self.first_layer_name)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log p(label) of each example in float64, [..., examples] for logits [..., examples, classes]."""
    log_probabilities = torch.log_softmax(logits.double(), dim=-1)
    index = labels.expand(logits.shape[:-1]).unsqueeze(-1)
    return -log_probabilities.gather(-1, index).squeeze(-1)


def slice_batch(batch: Batch, start: int, stop: int) -> Batch:
    """Examples start..stop - 1 of a batch, of the same structure (mappings come back as plain dicts)."""
    if isinstance(batch, Tensor):
        return batch[start:stop]
    if isinstance(batch, Mapping):
        return {key: slice_batch(value, start, stop) for key, value in batch.items()}
    assert isinstance(batch, tuple | list), f"a batch is made of tensors, got {type(batch).__name__}"
    return type(batch)([slice_batch(value, start, stop) for value in batch])


def micro_batch_size() -> int:
    """Examples that go through the network at once, by what the allocator of this process does."""
    return _SIZE_WHERE_MEMORY_IS_KEPT if freed_memory_is_kept() else _SIZE_WHERE_MEMORY_IS_GIVEN_BACK


def micro_batches(batch: Batch) -> list[Batch]:
    """The batch in parts of at most `micro_batch_size()` examples, in order."""
    size = micro_batch_size()
    return [slice_batch(batch, start, start + size) for start in range(0, batch_size(batch), size)]


def forward_parts(batch: Batch, device: torch.device) -> list[Batch]:
    """The parts in which plain forward passes run fastest: micro-batches on a CPU, else the batch as it is."""
    return micro_batches(batch) if device.type == "cpu" else [batch]


def batch_size(batch: Batch) -> int:
    """Number of examples of a batch: the first dimension of its first tensor."""
    while not isinstance(batch, Tensor):
        batch = next(iter(batch.values() if isinstance(batch, Mapping) else batch))
    return batch.shape[0]
