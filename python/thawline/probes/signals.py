"""The metrics of one boundary, one by one: each a value, with the vector that its standard errors are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor, nn

from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.feature_spectrum import FeatureSpectrum, feature_spectrum
from thawline.probes.fisher import (
    FisherTrace,
    fisher_trace_by_batch,
    fisher_trace_of_head,
    fisher_trace_per_example,
)
from thawline.probes.head_features import HeadFeatures, features_before_head
from thawline.probes.hessian import LossTerm, head_loss_terms, hessian_lambda_max, network_loss_terms
from thawline.probes.label_source import LabelSource
from thawline.probes.loss_gradient import loss_and_gradient_norm
from thawline.probes.noise import search_start
from thawline.probes.objective import Objective
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import PerturbedWeights, Scope
from thawline.probes.settings import ProbeSettings
from thawline.probes.sharpness import (
    Surfaces,
    head_surfaces,
    mean_over_batches,
    network_surfaces,
    sharpness_avg,
    sharpness_worst,
)
from thawline.probes.standard_errors import error_over_draws_and_points, error_over_points, error_within_batches


@dataclass(frozen=True)
class Signal:
    """A value with the vector behind it, and the formula that turns such a vector into a standard error."""

    value: float
    vector: Tensor | None
    error: Callable[[Tensor], float | None]
    extras: dict[str, float]
    companions: dict[str, float]
    eigenvector: Tensor | None = None


@dataclass(frozen=True)
class BoundaryProbe:
    """What the metrics of one boundary have in common; the model is in `measuring` state.

    `features` are those of the closed forms, None where they do not hold. `example_gradients` makes what the general
    tr(F) needs, `earlier_eigenvector` is where the search for the top of the Hessian's spectrum may start, and `poll`
    is called between batches.
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

    def signal(self, metric: str) -> Signal:
        """One of METRICS. Raises UserError for the features of a model without a head that reads them."""
        match metric:
            case "fisher_trace":
                return self._fisher_trace()
            case "sharpness_avg":
                return self._sharpness_avg()
            case "sharpness_worst":
                return self._sharpness_worst()
            case "hessian_lambda_max":
                return self._hessian_lambda_max()
            case "feature_lambda_max":
                return self._described(self._spectrum.lambda_max, {})
            case "gradient_norm":
                return self._gradient_norm()
        assert metric == "feature_rank", metric
        ranks = self._spectrum
        companions = {"feature_numerical_rank": ranks.numerical_rank, "feature_entropy_rank": ranks.entropy_rank}
        return self._described(ranks.rank, companions)

    def _fisher_trace(self) -> Signal:
        settings, model, objective, probe_set = self.settings, self.model, self.objective, self.probe_set
        points = sum(probe_set.sizes)
        source = LabelSource(settings.labels, settings.seed, points)
        found: FisherTrace
        if settings.estimator == "batch":
            found = fisher_trace_by_batch(model, objective, probe_set, self.scope, source, self.poll)
        elif self.features is not None:
            found = fisher_trace_of_head(self.features, probe_set, settings.labels)
        else:
            found = fisher_trace_per_example(model, objective, probe_set, self.example_gradients(), source, self.poll)
        count = self.scope.num_parameters
        companions = {
            "fisher_trace_sum": found.trace,
            "fisher_trace_num_parameters": float(count),
            "label_uncertainty": float(found.label_uncertainty.mean()),
        }
        if found.feature_norms_squared is not None:
            companions["feature_norm_squared"] = float(found.feature_norms_squared.mean())

        vector = None if found.squared_norms is None else found.squared_norms / count
        extras: dict[str, float] = {"points": points, "num_parameters": count}
        return Signal(found.trace / count, vector, error_over_points, extras, companions)

    def _sharpness_avg(self) -> Signal:
        rho, draws, seed, sizes = self.settings.rho, self.settings.draws, self.settings.seed, self.probe_set.sizes
        with self._surfaces() as surfaces:
            increases = sharpness_avg(
                surfaces, self.probe_set, self.scope, rho=rho, draws=draws, seed=seed, poll=self.poll
            )
        return Signal(
            mean_over_batches(increases, sizes),
            increases,
            lambda vector: error_over_draws_and_points(vector, sizes),
            {"points": sum(sizes), "batches": len(sizes), "rho": rho, "draws": draws},
            {},
        )

    def _sharpness_worst(self) -> Signal:
        rho, iterations, sizes = self.settings.rho, self.settings.iterations, self.probe_set.sizes
        with self._surfaces() as surfaces:
            found = sharpness_worst(
                surfaces,
                self.probe_set,
                self.scope,
                rho=rho,
                iterations=iterations,
                poll=self.poll,
                # On features there is no network whose passes could be cheaper.
                search_precision="float32" if self.features is not None else self.settings.search_precision,
            )
        chosen = found.best_increases if self.settings.worst_value == "best" else found.last_increases
        return Signal(
            mean_over_batches(chosen, sizes),
            chosen,
            lambda vector: error_within_batches(vector, sizes),
            {"points": sum(sizes), "batches": len(sizes), "rho": rho, "iterations": iterations},
            {"sharpness_worst_last": mean_over_batches(found.last_increases, sizes)},
        )

    @contextmanager
    def _surfaces(self) -> Iterator[Surfaces]:
        if self.features is not None:
            yield head_surfaces(self.features, self.probe_set, self.scope)
            return
        with PerturbedWeights(self.scope) as weights:
            yield network_surfaces(self.model, self.objective, self.probe_set, self.scope, weights)

    def _hessian_lambda_max(self) -> Signal:
        scope = self.scope
        device = scope.parameters[0].device
        fresh = search_start(scope.num_parameters, self.settings.seed).to(device)
        warm = self.earlier_eigenvector
        found = hessian_lambda_max(self._loss_terms(), scope, fresh, None if warm is None else warm.to(device))
        signal = self._described(found.value, {"hessian_lambda_max_residual": found.residual})
        signal.extras.update(num_parameters=scope.num_parameters, products=found.products)
        return replace(signal, eigenvector=found.vector)

    def _gradient_norm(self) -> Signal:
        loss, norm = loss_and_gradient_norm(self._loss_terms(), self.scope)
        return self._described(norm, {"loss": loss})

    def _loss_terms(self) -> list[LossTerm]:
        if self.features is not None:
            return head_loss_terms(self.features, self.probe_set, self.poll)
        return network_loss_terms(self.model, self.objective, self.probe_set, self.scope, self.poll)

    @cached_property
    def _spectrum(self) -> FeatureSpectrum:
        if self.features is not None:
            return self.features.spectrum
        return feature_spectrum(features_before_head(self.model, self.objective, self.probe_set, self.poll))

    def _described(self, value: float, companions: dict[str, float]) -> Signal:
        """A value of the whole probe set, which is no mean over points and has no standard error."""
        return Signal(value, None, error_over_points, {"points": sum(self.probe_set.sizes)}, companions)
