"""The trace of the Fisher information (equation 2).

tr(F) = E_x E_{y ~ p_w(.|x)} ||grad_w log p_w(y|x)||^2: a mean of per-example squared norms with labels drawn from the
model. The square of a batch-mean gradient, or the data's own labels, measure something else; both exist here as
options, for comparison. The signal is tr(F) divided by the number of parameters in scope (paper, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.probes.example_gradients import ExampleGradients, total_norms
from thawline.probes.head_features import HeadFeatures, linear_head, logits_of_head, recorded_calls
from thawline.probes.label_source import Labels, LabelSource, gradient_of_labels
from thawline.probes.labels import label_uncertainty, squared_output_gradient
from thawline.probes.objective import MICRO_BATCH, Objective, batch_size, micro_batches
from thawline.probes.positions import counted_positions, label_uncertainties
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope

Estimator = Literal["per_example", "batch"]


@dataclass(frozen=True)
class FisherTrace:
    """tr(F) and what it is made of; vectors are float64 on the CPU, one entry per probe point.

    `squared_norms` has expectation ||grad log p(y|x)||^2 under the label option; None for the batch identity, which has
    no value per point. `label_uncertainty` is 1 - sum_c p_c^2 (summed over softmaxes), `feature_norms_squared` is
    ||h||^2 of the input of the linear head, None without such a head. `by_block` has trace and squared norms of each
    block that was asked for, from the same passes and with the same labels.
    """

    trace: float
    squared_norms: Tensor | None
    label_uncertainty: Tensor
    feature_norms_squared: Tensor | None
    by_block: Mapping[str, tuple[float, Tensor | None]] = field(default_factory=dict)


@torch.no_grad()
def fisher_trace_of_head(features: HeadFeatures, probe_set: ProbeSet, labels: Labels) -> FisherTrace:
    """tr(F) of a linear softmax head in closed form: the gradient is (e_y - p) outer (h, 1).

    `sampled` and `exact` both give the exact mean over labels here, (1 - sum p^2)(||h||^2 + 1) per point, as it costs
    nothing; only the points are a sample. (Without a bias there is no + 1.) For Bernoulli distributions the factor is
    sum p (1 - p) instead: half of the above of their softmaxes, whose logits of 0 are no outputs of the head.
    """
    head = features.head
    values, uncertainties, norms = [], [], []
    for inputs, batch in zip(features.features, probe_set.batches, strict=True):
        logits = logits_of_head(features.objective, functional.linear(inputs, head.weight, head.bias))
        uncertainty = label_uncertainty(logits)
        norm = _squared_norms(inputs)
        if labels in ("sampled", "exact"):
            coefficient = uncertainty
        else:
            chosen = LabelSource(labels, seed=0, points=0).choose(features.objective, [logits], batch, first=0)
            coefficient = squared_output_gradient(logits, chosen[0])
        if logits.dim() == 3:
            uncertainty, coefficient = uncertainty.sum(dim=1), coefficient.sum(dim=1) / 2
        values.append(coefficient * (norm + (0 if head.bias is None else 1)))
        uncertainties.append(uncertainty)
        norms.append(norm)
    squared_norms = torch.cat(values).cpu()
    return FisherTrace(
        float(squared_norms.mean()), squared_norms, torch.cat(uncertainties).cpu(), torch.cat(norms).cpu()
    )


def fisher_trace_per_example(
    model: nn.Module,
    objective: Objective,
    probe_set: ProbeSet,
    example_gradients: ExampleGradients,
    source: LabelSource,
    poll: Callable[[], None],
    micro_batch: int = MICRO_BATCH,
    blocks: Mapping[str, Scope] | None = None,
) -> FisherTrace:
    """tr(F) of any parameters as the mean of per-example squared gradient norms, `micro_batch` examples at a time."""
    values, uncertainties, norms = [], [], []
    by_block: dict[str, list[Tensor]] = {block: [] for block in blocks or {}}
    first = 0
    for batch in probe_set.batches:
        for part in micro_batches(batch, micro_batch):
            poll()
            with recorded_calls(linear_head(model, objective)) as calls:
                recording = example_gradients.forward(part)
            gradients = source.output_gradients(objective, recording.logits, part, first)
            by_parameter = example_gradients.norms_by_parameter(recording, gradients)
            values.append(total_norms(recording, by_parameter, by_parameter))
            for block, found in by_block.items():
                found.append(total_norms(recording, by_parameter, blocks[block].names if blocks else ()))
            uncertainties.append(label_uncertainties(recording.logits, counted_positions(objective, part)))
            norms += [_squared_norms(inputs) for inputs, _ in calls if inputs.dim() == 2]
            first += batch_size(part)
    squared_norms = torch.cat(values).cpu()
    features = torch.cat(norms).cpu() if norms else None
    of_blocks = {block: torch.cat(found).cpu() for block, found in by_block.items()}
    return FisherTrace(
        float(squared_norms.mean()),
        squared_norms,
        torch.cat(uncertainties).cpu(),
        features,
        {block: (float(found.mean()), found) for block, found in of_blocks.items()},
    )


def fisher_trace_by_batch(
    model: nn.Module,
    objective: Objective,
    probe_set: ProbeSet,
    scope: Scope,
    source: LabelSource,
    poll: Callable[[], None],
    blocks: Mapping[str, Scope] | None = None,
) -> FisherTrace:
    """tr(F) by the batch identity E[B ||mean grad||^2] = tr(F), which holds for labels drawn from p itself.

    Unbiased but several times noisier than per-example norms, and it has no standard error; for comparison.
    """
    weighted, uncertainties, norms = [], [], []
    by_block: dict[str, list[Tensor]] = {block: [] for block in blocks or {}}
    first = 0
    for batch in probe_set.batches:
        poll()
        with recorded_calls(linear_head(model, objective)) as calls:
            logits = objective.logits(model, batch)
        size = len(logits[0])
        labels, counted = source.choose(objective, logits, batch, first), counted_positions(objective, batch)
        gradients = [
            gradient_of_labels(out, chosen, counted) / size for out, chosen in zip(logits, labels, strict=True)
        ]
        found = torch.autograd.grad(logits, scope.parameters, gradients, allow_unused=True)
        squared = [gradient.double().square().sum() for gradient in found if gradient is not None]
        weighted.append(size * size * torch.stack(squared).sum())
        by_name = {
            name: gradient.double().square().sum()
            for name, gradient in zip(scope.names, found, strict=True)
            if gradient is not None
        }
        for block, sums in by_block.items():
            own = [by_name[name] for name in (blocks[block].names if blocks else ()) if name in by_name]
            sums.append(size * size * torch.stack([*own, torch.zeros_like(weighted[-1])]).sum())
        uncertainties.append(label_uncertainties(logits, counted))
        norms += [_squared_norms(inputs) for inputs, _ in calls if inputs.dim() == 2]
        first += size
    features = torch.cat(norms).cpu() if norms else None
    trace = float(torch.stack(weighted).sum()) / first
    traces = {block: (float(torch.stack(sums).sum()) / first, None) for block, sums in by_block.items()}
    return FisherTrace(trace, None, torch.cat(uncertainties).cpu(), features, traces)


def _squared_norms(features: Tensor) -> Tensor:
    return features.double().square().sum(dim=1)
