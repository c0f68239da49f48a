"""Where the labels of tr(F) come from, and the gradients at the logits that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from thawline.errors import UserError
from thawline.probes.labels import (
    class_probabilities,
    importance_sampled_gradient,
    output_gradient,
    sample_labels,
)
from thawline.probes.noise import label_signs, label_uniforms
from thawline.probes.objective import Batch, LabelledObjective, Objective
from thawline.probes.positions import counted_positions, of_counted_rows

Labels = Literal["sampled", "exact", "argmax", "true"]


# Of `exact`, at the positions of an example: beyond it a probe would take hours.
MOST_PASSES = 4096


@dataclass(frozen=True)
class LabelSource:
    """The option `labels`, and the common random numbers behind `sampled`; `points` counts the whole probe set.

    A position is a softmax like any other: its random numbers do not depend on how far a batch is padded.
    """

    labels: Labels
    seed: int
    points: int
    _drawn: dict[tuple[str, int], Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def choose(self, objective: Objective, logits: list[Tensor], batch: Batch, first: int) -> list[Tensor]:
        """One label per point and softmax, unweighted, for the points from `first` on.

        int64 [examples] each, or [examples, positions]; a position that does not count has any.
        """
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
        counted = counted_positions(objective, batch)
        return [self._sampled_labels(out, counted, first, softmax) for softmax, out in enumerate(logits)]

    def output_gradients(
        self, objective: Objective, logits: list[Tensor], batch: Batch, first: int
    ) -> list[list[Tensor]]:
        """Gradients at the logits, a list for each backward pass, whose squared norms sum up to the point's value.

        log p(y|x) is a sum over independent softmaxes, and the cross terms of their gradients vanish in expectation.
        `exact` takes the softmaxes apart; `sampled` keeps one backward pass, in which weights that differ between
        softmaxes would leave the cross terms in place, so random signs take them out.
        """
        counted = counted_positions(objective, batch)
        if self.labels == "exact" and counted is not None:
            return _every_label_of_positions(logits[0], counted)
        if self.labels == "exact":
            return [gradients for softmax in range(len(logits)) for gradients in _every_label(logits, softmax)]
        if self.labels == "sampled":
            return [[self._sampled_gradient(out, counted, first, softmax) for softmax, out in enumerate(logits)]]
        chosen = self.choose(objective, logits, batch, first)
        return [[gradient_of_labels(out, labels, counted) for out, labels in zip(logits, chosen, strict=True)]]

    def _sampled_labels(self, out: Tensor, counted: Tensor | None, first: int, softmax: int) -> Tensor:
        uniforms = self._numbers(label_uniforms, out, first, softmax).to(out.device)
        return of_counted_rows(out, counted, lambda rows, places: sample_labels(rows, uniforms[places]))

    def _sampled_gradient(self, out: Tensor, counted: Tensor | None, first: int, softmax: int) -> Tensor:
        uniforms = self._numbers(label_uniforms, out, first, softmax).to(out.device)
        signs = self._numbers(label_signs, out, first, softmax).to(out)

        def of_rows(rows: Tensor, places: Tensor | slice) -> Tensor:
            return signs[places].unsqueeze(-1) * importance_sampled_gradient(rows, uniforms[places])

        return of_counted_rows(out, counted, of_rows)

    def _numbers(self, draw: Callable[[int, int, int], Tensor], out: Tensor, first: int, softmax: int) -> Tensor:
        """A random number for each row of the logits, [examples] or [examples * positions]."""
        softmaxes = [softmax] if out.dim() == 2 else range(out.shape[1])
        columns = [self._column(draw, each)[first : first + len(out)] for each in softmaxes]
        return torch.stack(columns, dim=1).flatten()

    def _column(self, draw: Callable[[int, int, int], Tensor], softmax: int) -> Tensor:
        key = (draw.__name__, softmax)
        if key not in self._drawn:
            self._drawn[key] = draw(self.seed, self.points, softmax)
        return self._drawn[key]


def gradient_of_labels(out: Tensor, labels: Tensor, counted: Tensor | None) -> Tensor:
    """The gradient of log p(y|x) with respect to the logits of one softmax, or of all positions that count."""
    flat = labels.flatten()
    return of_counted_rows(out, counted, lambda rows, places: output_gradient(rows, flat[places]))


def _every_label(logits: list[Tensor], softmax: int) -> list[list[Tensor]]:
    """sqrt(p_c) (e_c - p) of one softmax for every class c, and zero for the others."""
    out = logits[softmax]
    passes = []
    for gradient in _gradients_of_classes(out):
        gradients = [torch.zeros_like(other) for other in logits]
        gradients[softmax] = gradient
        passes.append(gradients)
    return passes


def _every_label_of_positions(out: Tensor, counted: Tensor) -> list[list[Tensor]]:
    """The same for every position that counts in some example, and zero at the others."""
    positions = counted.any(dim=0).nonzero().flatten().tolist()
    classes = out.shape[-1]
    if len(positions) * classes > MOST_PASSES:
        raise UserError(
            "probe_labels",
            f"probe.labels is exact, which takes a backward pass for each of {classes} labels at each of "
            f"{len(positions)} positions",
            "set probe.labels to sampled, which takes one and is as unbiased",
        )
    passes = []
    for position in positions:
        for gradient in _gradients_of_classes(out[:, position]):
            whole = torch.zeros_like(out)
            whole[:, position] = gradient * counted[:, position, None]
            passes.append([whole])
    return passes


def _gradients_of_classes(out: Tensor) -> Iterator[Tensor]:
    """sqrt(p_c) (e_c - p) for every class c, [examples, classes] each."""
    probabilities = class_probabilities(out)
    for label in range(out.shape[-1]):
        labels = torch.full((len(out),), label, device=out.device)
        yield output_gradient(out, labels, probabilities[:, label])
