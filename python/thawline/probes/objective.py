"""What a probe has to know about a task: its logits and its loss, example by example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.tensor_trees import Tree, map_tensors, tensors_of

Batch = Tree
"""Whatever the objective understands, made of tensors whose first dimension is the example."""

MICRO_BATCH = 64
"""Examples in a micro-batch, where nobody says otherwise.

On a CPU that gives freed memory back, the activations of more images than this cost page faults each time: forward
passes of 256 took up to 1.7 times as long, per-example gradients up to 1.9 times.
"""
MICRO_BATCH_WHERE_MEMORY_IS_KEPT = 128
"""Up to 1.5 times faster than 64 in narrow networks then, and as fast in wide ones."""


@runtime_checkable
class Objective(Protocol):
    """The least a probe needs. Both methods run the model, and examples must not influence each other."""

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        """One tensor [examples, classes] per independent softmax: log p(y|x) is the sum of their log-probabilities.

        A single one of [examples, positions, classes] is for a `PositionedObjective`.
        """

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """The training loss of each example, [examples]; its mean is the L of equations 3 and 4."""


@runtime_checkable
class LabelledObjective(Objective, Protocol):
    """Needed only for `labels: true`, the empirical Fisher."""

    def labels(self, batch: Batch) -> list[Tensor]:
        """The true labels, int64 [examples], one tensor per independent softmax."""


@runtime_checkable
class PositionedObjective(Objective, Protocol):
    """Logits [examples, positions, classes]: a softmax at each position, independent of the others given the inputs.

    Labels are [examples, positions], and log p(y|x) is the sum over the positions that count.
    """

    def counted(self, batch: Batch) -> Tensor:
        """Whether a position counts, bool [examples, positions]."""


@runtime_checkable
class ProbeSetObjective(Objective, Protocol):
    """Wants to see the whole probe set: what its loss is a mean over, or what a batch of it lacks."""

    def for_probe_set(self, batches: Sequence[Batch]) -> Objective:
        """The objective of a probe set that is made of `batches`.

        Raises UserError (`probe_labels`) for batches in which it finds no labels that have a meaning.
        """


@runtime_checkable
class LinearHeadObjective(Objective, Protocol):
    """Allows the closed and batched forms on cached features while only a linear head is in scope."""

    def head(self, model: nn.Module) -> nn.Linear | None:
        """The linear layer whose output is the only logits tensor; None when the model does not end in one."""

    def logits_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss of each example from logits [..., examples, classes], as [..., examples]; agrees with `loss`."""


@runtime_checkable
class BernoulliHeadObjective(LinearHeadObjective, PositionedObjective, Protocol):
    """Of a linear head whose outputs, [examples, labels], are logits of Bernoulli distributions, all of which count."""

    def as_softmaxes(self, outputs: Tensor) -> Tensor:
        """What `logits` makes of them: softmaxes over (0, output), [examples, labels, 2]."""


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
        return [model(inputs_and_labels(batch)[0])]

    def labels(self, batch: Batch) -> list[Tensor]:
        return [inputs_and_labels(batch)[1]]

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


def inputs_and_labels(batch: Batch) -> tuple[Tree, Tensor]:
    """The two of a pair. Raises UserError `probe_batch` for anything else."""
    if isinstance(batch, Mapping) or len(batch) != 2:
        got = f"a mapping of {', '.join(map(str, batch))}" if isinstance(batch, Mapping) else f"{len(batch)} of them"
        raise UserError(
            "probe_batch",
            f"the probe: a batch must be a pair (inputs, labels), got {got}",
            "for a model of transformers take `CausalLanguageModelObjective`, or one of `text_objective`: "
            "`SequenceClassificationObjective`, `MultiLabelSequenceClassificationObjective` (for one logit, too), "
            "`QuestionAnsweringObjective`",
        )
    inputs, labels = batch
    return inputs, labels


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log p(label) of each example in float64, [..., examples] for logits [..., examples, classes]."""
    log_probabilities = torch.log_softmax(logits.double(), dim=-1)
    index = labels.expand(logits.shape[:-1]).unsqueeze(-1)
    return -log_probabilities.gather(-1, index).squeeze(-1)


def slice_batch(batch: Batch, start: int, stop: int) -> Batch:
    """Examples start..stop - 1 of a batch, of the same structure (mappings come back as plain dicts)."""
    return map_tensors(lambda tensor: tensor[start:stop], batch)


def micro_batches(batch: Batch, size: int) -> list[Batch]:
    """The batch in parts of at most `size` examples, in order."""
    return [slice_batch(batch, start, start + size) for start in range(0, batch_size(batch), size)]


def forward_parts(batch: Batch, device: torch.device, micro_batch: int) -> list[Batch]:
    """The parts in which plain forward passes run fastest: micro-batches on a CPU, else the batch as it is."""
    return micro_batches(batch, micro_batch) if device.type == "cpu" else [batch]


def batch_size(batch: Batch) -> int:
    """Number of examples of a batch: the first dimension of its first tensor."""
    return next(tensors_of(batch)).shape[0]
