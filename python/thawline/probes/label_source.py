"""Where the labels of tr(F) come from, and the gradients at the logits that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from thawline.errors import UserError
from thawline.probes.labels import (
    class_probabilities,
    importance_sample_labels,
    output_gradient,
    sample_labels,
)
from thawline.probes.noise import label_signs, label_uniforms
from thawline.probes.objective import Batch, LabelledObjective, Objective

Labels = Literal["sampled", "exact", "argmax", "true"]


@dataclass(frozen=True)
class LabelSource:
    """The option `labels`, and the common random numbers behind `sampled`; `points` counts the whole probe set."""

    labels: Labels
    seed: int
    points: int

    def choose(self, objective: Objective, logits: list[Tensor], batch: Batch, first: int) -> list[Tensor]:
        """One label per point and softmax, unweighted, for the points from `first` on; int64 [examples] each."""
        if self.labels == "argmax":
            return [out.argmax(dim=-1) for out in logits]
        if self.labels == "true":
            if not isinstance(objective, LabelledObjective):
                raise UserError(
                    "probe_labels",
                    "probe.labels is true, but the objective has no labels(batch)",
                    "give the objective a method `labels`, or set probe.labels to sampled",
                )
            return objective.labels(batch)
        return [sample_labels(out, self._uniforms(out, first, softmax)) for softmax, out in enumerate(logits)]

    def output_gradients(
        self, objective: Objective, logits: list[Tensor], batch: Batch, first: int
    ) -> list[list[Tensor]]:
        """Gradients at the logits, a list for each backward pass, whose squared norms sum up to the point's value.

        log p(y|x) is a sum over independent softmaxes, and the cross terms of their gradients vanish in expectation.
        `exact` takes the softmaxes apart; `sampled` keeps one backward pass, in which weights that differ between
        softmaxes would leave the cross terms in place, so random signs take them out.
        """
        if self.labels == "exact":
            return [gradients for softmax in range(len(logits)) for gradients in _every_label(logits, softmax)]
        if self.labels == "sampled":
            gradients = []
            for softmax, out in enumerate(logits):
                labels, weights = importance_sample_labels(out, self._uniforms(out, first, softmax))
                signs = label_signs(self.seed, self.points, softmax)[first : first + len(out)].to(out)
                gradients.append(signs.unsqueeze(-1) * output_gradient(out, labels, weights))
            return [gradients]
        chosen = self.choose(objective, logits, batch, first)
        return [[output_gradient(out, labels) for out, labels in zip(logits, chosen, strict=True)]]

    def _uniforms(self, logits: Tensor, first: int, softmax: int) -> Tensor:
        return label_uniforms(self.seed, self.points, softmax)[first : first + len(logits)].to(logits.device)


def _every_label(logits: list[Tensor], softmax: int) -> list[list[Tensor]]:
    """sqrt(p_c) (e_c - p) of one softmax for every class c, and zero for the others."""
    out = logits[softmax]
    probabilities = class_probabilities(out)
    passes = []
    for label in range(out.shape[-1]):
        labels = torch.full((len(out),), label, device=out.device)
        gradients = [torch.zeros_like(other) for other in logits]
        gradients[softmax] = output_gradient(out, labels, probabilities[:, label])
        passes.append(gradients)
    return passes
