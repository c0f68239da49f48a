"""Labels that do not exclude each other, or a single one with two values: products of Bernoulli distributions.

A Bernoulli distribution of logit z is the softmax over (0, z), so the probes treat each label as a position of two
classes; the logit that is 0 depends on no weight and adds nothing to a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.errors import UserError
from thawline.probes.objective import Batch, inputs_and_labels


class MultiLabelObjective:
    """One logit for each of several labels, for batches (inputs, labels): `model(inputs)` and labels, 0 or 1, are
    [examples, labels], of any type of numbers.

    log p(y|x) is the sum over an example's labels, and so tr(F) is that of all labels together, each drawn by itself.
    The loss is the mean over labels of the binary cross-entropies, as `BCEWithLogitsLoss` and transformers take it,
    without weights. `head_name` names the linear layer that makes the logits ("fc"), if there is one.
    """

    def __init__(self, head_name: str | None = None) -> None:
        self.head_name = head_name

    def outputs(self, model: nn.Module, batch: Batch) -> Tensor:
        """The model's logits, [examples, labels]."""
        return model(inputs_and_labels(batch)[0])  # type: ignore[no-any-return]

    def targets(self, batch: Batch) -> Tensor:
        """The true labels, 0 or 1, [examples, labels]."""
        return inputs_and_labels(batch)[1]

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        return [self.as_softmaxes(self.outputs(model, batch))]

    def as_softmaxes(self, outputs: Tensor) -> Tensor:
        return torch.stack([torch.zeros_like(outputs), outputs], dim=-1)

    def labels(self, batch: Batch) -> list[Tensor]:
        return [self.targets(batch).long()]

    def counted(self, batch: Batch) -> Tensor:
        return torch.ones_like(self.targets(batch), dtype=torch.bool)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        return self.logits_loss(self.outputs(model, batch), batch)

    def logits_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """In float64 [..., examples], for the model's own logits [..., examples, labels]."""
        targets = self.targets(batch).double().expand(logits.shape)
        losses = functional.binary_cross_entropy_with_logits(logits.double(), targets, reduction="none")
        return losses.mean(dim=-1)

    def head(self, model: nn.Module) -> nn.Linear | None:
        module = None if self.head_name is None else model.get_submodule(self.head_name)
        return module if isinstance(module, nn.Linear) else None

    def for_probe_set(self, batches: Sequence[Batch]) -> MultiLabelObjective:
        for batch in batches:
            targets = self.targets(batch)
            if targets.dim() != 2:
                raise _refusal(
                    f"the labels are {list(targets.shape)}, and [examples, labels] are expected",
                    "give a 0 or a 1 for each label of each example; for classes that exclude each other take "
                    "`ClassificationObjective`, for one label with two values `BinaryObjective`",
                )
            unfit = targets[(targets != 0) & (targets != 1)]
            if len(unfit) > 0:
                raise _refusal(
                    f"there is a label {unfit[0].item():.4g}, and each must be 0 or 1",
                    "leave examples without a label out of the probe set; smoothed labels are no draws from a "
                    "distribution: give those that they were made from",
                )
        return self


class BinaryObjective(MultiLabelObjective):
    """One logit, for a label of two values: `model(inputs)` and labels, 0 or 1, are [examples] or [examples, 1]."""

    def outputs(self, model: nn.Module, batch: Batch) -> Tensor:
        return _as_column(super().outputs(model, batch))

    def targets(self, batch: Batch) -> Tensor:
        return _as_column(super().targets(batch))


def _as_column(numbers: Tensor) -> Tensor:
    return numbers.unsqueeze(1) if numbers.dim() == 1 else numbers


def _refusal(message: str, hint: str) -> UserError:
    return UserError("probe_labels", f"the probe: {message}", hint)
