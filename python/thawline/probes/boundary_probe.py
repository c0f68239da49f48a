"""What all metrics of one boundary are measured with, and the form that each of them gives its value in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor, nn

from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.feature_spectrum import FeatureSpectrum, feature_spectrum
from thawline.probes.head_features import HeadFeatures, features_before_head
from thawline.probes.hessian import LossTerm, head_loss_terms, network_loss_terms
from thawline.probes.objective import Objective
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import PerturbedWeights, Scope
from thawline.probes.settings import ProbeSettings
from thawline.probes.sharpness import Surfaces, head_surfaces, network_surfaces
from thawline.probes.update_direction import UpdateRule


@dataclass(frozen=True)
class Signal:
    """A value with the vector behind it, and the formula that turns such a vector into a standard error.

    `vector` and `error` are None for a value of the whole probe set, which is no mean over points. `degrees` are the
    error's degrees of freedom, for an interval round the value, where they are few. `companions` are
    further values by name, and `eigenvector` is where the next search of the Hessian's spectrum may start. `parts` are
    the same for each block, where they came out of the same passes.
    """

    value: float
    vector: Tensor | None = None
    error: Callable[[Tensor], float | None] | None = None
    degrees: float = math.inf
    companions: Mapping[str, float] = field(default_factory=dict)
    eigenvector: Tensor | None = None
    parts: Mapping[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True)
class BoundaryProbe:
    """What the metrics of one boundary have in common; the model is in `measuring` state.

    `features` are those of the closed forms, None where they do not hold. `example_gradients` makes what the general
    tr(F) needs, `earlier_eigenvector` is where the search for the top of the Hessian's spectrum may start, and `poll`
    is called between batches. `update_rule` makes the updates of the training, None where nobody knows it. `blocks` are
    the blocks in scope that are asked for by themselves.
    """

    model: nn.Module
    objective: Objective
    probe_set: ProbeSet
    settings: ProbeSettings
    scope: Scope
    features: HeadFeatures | None
    example_gradients: Callable[[], ExampleGradients]
    earlier_eigenvector: Tensor | None
    poll: Callable[[], None]
    update: int
    update_rule: UpdateRule | None = None
    blocks: Mapping[str, Scope] = field(default_factory=dict)

    @contextmanager
    def surfaces(self) -> Iterator[Surfaces]:
        """The loss around the weights, batch by batch; the weights are as they were on leaving."""
        if self.features is not None:
            yield head_surfaces(self.features, self.probe_set, self.scope)
            return
        with PerturbedWeights(self.scope) as weights:
            yield network_surfaces(
                self.model, self.objective, self.probe_set, self.scope, weights, self.settings.micro_batch
            )

    def loss_terms(self) -> list[LossTerm]:
        """The probe loss, the mean over all points, as a sum of terms."""
        if self.features is not None:
            return head_loss_terms(self.features, self.probe_set, self.poll)
        return network_loss_terms(
            self.model, self.objective, self.probe_set, self.scope, self.poll, self.settings.micro_batch
        )

    @cached_property
    def spectrum(self) -> FeatureSpectrum:
        """That of the features before the head. Raises UserError for a model without a head that reads them."""
        if self.features is not None:
            return self.features.spectrum
        return feature_spectrum(
            features_before_head(self.model, self.objective, self.probe_set, self.poll, self.settings.micro_batch)
        )
