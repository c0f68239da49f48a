"""The probes of one run: measures signals at a boundary, with their errors, and leaves the training as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.feature_spectrum import FeatureSpectrum, feature_spectrum
from thawline.probes.fisher import (
    FisherTrace,
    fisher_trace_by_batch,
    fisher_trace_of_head,
    fisher_trace_per_example,
)
from thawline.probes.head_features import HeadFeatures, features_before_head, head_features
from thawline.probes.hessian import head_loss_terms, hessian_lambda_max, network_loss_terms
from thawline.probes.history import EigenvectorHistory, SignalHistory
from thawline.probes.label_source import LabelSource
from thawline.probes.noise import search_start
from thawline.probes.objective import Objective
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import PerturbedWeights, Scope, measuring, resolve_scope
from thawline.probes.settings import METRICS, SIGNALS, ProbeSettings
from thawline.probes.sharpness import (
    Surfaces,
    head_surfaces,
    mean_over_batches,
    network_surfaces,
    sharpness_avg,
    sharpness_worst,
)
from thawline.probes.standard_errors import error_over_draws_and_points, error_over_points, error_within_batches

# What the names of eigenvectors begin with in the state of a prober.
_EIGENVECTOR = "eigenvector/"


class ProbeInterrupted(Exception):
    """The measurement was told to stop; the model is as it was, and nothing was recorded."""


@dataclass(frozen=True)
class Measurement:
    """One number for the wire. Errors are None where there is none to give; seconds count wall time.

    A feature forward that several signals share is counted with the first of them. `extras` holds what the value must
    not be reported without: its settings and counts.
    """

    key: str
    value: float
    standard_error: float | None = None
    change_standard_error: float | None = None
    span_standard_error: float | None = None
    seconds: float = 0.0
    extras: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Signal:
    """A value with the vector behind it, and the formula that turns such a vector into a standard error."""

    value: float
    vector: Tensor | None
    error: Callable[[Tensor], float | None]
    extras: dict[str, float]
    companions: dict[str, float]
    eigenvector: Tensor | None = None


@dataclass(frozen=True)
class _Shared:
    """What the metrics of one boundary have in common. `features` are those of the closed forms, if they hold."""

    model: nn.Module
    objective: Objective
    probe_set: ProbeSet
    scope: Scope
    features: HeadFeatures | None
    poll: Callable[[], None]

    @cached_property
    def spectrum(self) -> FeatureSpectrum:
        """Raises UserError for a model without a linear head."""
        if self.features is not None:
            return feature_spectrum(torch.cat(self.features.features))
        return feature_spectrum(features_before_head(self.model, self.objective, self.probe_set, self.poll))


class Prober:
    """Measures the signals of a model, and what else describes it, on a fixed probe set.

    The model may be in any mode and any state of freezing: `training` flags, requires_grad, gradients, weights,
    buffers and the global random state are the same after a measurement as before it, bit for bit. The same weights
    give the same values, bit for bit, on the same machine with the same number of threads. Only `hessian_lambda_max`
    also depends, within its residual, on the boundary before, where its search starts.
    """

    def __init__(self, model: nn.Module, objective: Objective, probe_set: ProbeSet, settings: ProbeSettings) -> None:
        self._model = model
        self._objective = objective
        self._probe_set = probe_set
        self._settings = settings
        self._sizes = probe_set.sizes
        self._history = SignalHistory(settings.every, settings.tau)
        self._eigenvectors = EigenvectorHistory()
        self._example_gradients: tuple[tuple[int, ...], ExampleGradients] | None = None

    def measure(
        self, update: int, metrics: Sequence[str] = SIGNALS, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Measurement]:
        """The metrics of boundary `update`, in the order asked for, each followed by its companions.

        `should_stop` is asked between batches; if it says yes, ProbeInterrupted is raised.
        Raises UserError for an unknown metric, for an empty scope, and for the features of a model without linear head.
        """

        def poll() -> None:
            if should_stop():
                raise ProbeInterrupted

        for metric in metrics:
            if metric not in METRICS:
                raise UserError("probe_metric", f"unknown probe metric {metric!r}", f"choose from {', '.join(METRICS)}")
        settings = self._settings
        scope = resolve_scope(self._model, settings.scope, settings.all_parameter_names)
        signals: dict[str, tuple[_Signal, float]] = {}
        with measuring(self._model, scope):
            began = time.perf_counter()
            features = head_features(self._model, self._objective, self._probe_set, scope, poll)
            shared = _Shared(self._model, self._objective, self._probe_set, scope, features, poll)
            for metric in metrics:
                signal = self._signal(update, metric, shared)
                ended = time.perf_counter()
                signals[metric] = (signal, ended - began)
                began = ended
        return [
            measurement
            for metric, (signal, seconds) in signals.items()
            for measurement in self._measurements(update, metric, scope, signal, seconds)
        ]

    def state_dict(self) -> dict[str, Tensor]:
        """The vectors of the last boundaries, on the CPU, from which a resumed run goes on."""
        eigenvectors = {f"{_EIGENVECTOR}{name}": vector for name, vector in self._eigenvectors.state_dict().items()}
        return self._history.state_dict() | eigenvectors

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        found = {name: tensor for name, tensor in state.items() if name.startswith(_EIGENVECTOR)}
        self._eigenvectors.load_state_dict({name.removeprefix(_EIGENVECTOR): tensor for name, tensor in found.items()})
        self._history.load_state_dict({name: tensor for name, tensor in state.items() if name not in found})

    def _signal(self, update: int, metric: str, shared: _Shared) -> _Signal:
        scope, features, poll = shared.scope, shared.features, shared.poll
        match metric:
            case "fisher_trace":
                return self._fisher_trace(scope, features, poll)
            case "hessian_lambda_max":
                return self._hessian_lambda_max(update, shared)
            case "feature_lambda_max":
                return self._described(shared.spectrum.lambda_max, {})
            case "feature_rank":
                ranks = shared.spectrum
                companions = {"numerical_rank": ranks.numerical_rank, "entropy_rank": ranks.entropy_rank}
                return self._described(ranks.rank, {f"feature_{name}": rank for name, rank in companions.items()})
        with self._surfaces(scope, features) as surfaces:
            if metric == "sharpness_avg":
                return self._sharpness_avg(surfaces, scope, poll)
            return self._sharpness_worst(surfaces, scope, poll)

    def _described(self, value: float, companions: dict[str, float]) -> _Signal:
        """A value of the whole probe set, which is no mean over points and has no standard error."""
        return _Signal(value, None, error_over_points, {"points": sum(self._sizes)}, companions)

    def _hessian_lambda_max(self, update: int, shared: _Shared) -> _Signal:
        scope = shared.scope
        if shared.features is not None:
            terms = head_loss_terms(shared.features, self._probe_set, shared.poll)
        else:
            terms = network_loss_terms(self._model, self._objective, self._probe_set, scope, shared.poll)
        device = scope.parameters[0].device
        fresh = search_start(scope.num_parameters, self._settings.seed).to(device)
        warm = self._eigenvectors.before(update, scope.digest)
        found = hessian_lambda_max(terms, scope, fresh, None if warm is None else warm.to(device))
        signal = self._described(found.value, {"hessian_lambda_max_residual": found.residual})
        signal.extras.update(num_parameters=scope.num_parameters, products=found.products)
        return replace(signal, eigenvector=found.vector)

    def _fisher_trace(self, scope: Scope, features: HeadFeatures | None, poll: Callable[[], None]) -> _Signal:
        settings, model, objective, probe_set = self._settings, self._model, self._objective, self._probe_set
        points = sum(self._sizes)
        source = LabelSource(settings.labels, settings.seed, points)
        found: FisherTrace
        if settings.estimator == "batch":
            found = fisher_trace_by_batch(model, objective, probe_set, scope, source, poll)
        elif features is not None:
            found = fisher_trace_of_head(features, probe_set, settings.labels)
        else:
            gradients = self._gradients_of(scope)
            found = fisher_trace_per_example(model, objective, probe_set, gradients, source, poll)
        companions = {"fisher_trace_sum": found.trace, "label_uncertainty": float(found.label_uncertainty.mean())}
        if found.feature_norms_squared is not None:
            companions["feature_norm_squared"] = float(found.feature_norms_squared.mean())

        count = scope.num_parameters
        vector = None if found.squared_norms is None else found.squared_norms / count
        extras: dict[str, float] = {"points": points, "num_parameters": count}
        return _Signal(found.trace / count, vector, error_over_points, extras, companions)

    def _sharpness_avg(self, surfaces: Surfaces, scope: Scope, poll: Callable[[], None]) -> _Signal:
        rho, draws, seed = self._settings.rho, self._settings.draws, self._settings.seed
        increases = sharpness_avg(surfaces, self._probe_set, scope, rho=rho, draws=draws, seed=seed, poll=poll)
        return _Signal(
            mean_over_batches(increases, self._sizes),
            increases,
            lambda vector: error_over_draws_and_points(vector, self._sizes),
            {"points": sum(self._sizes), "batches": len(self._sizes), "rho": rho, "draws": draws},
            {},
        )

    def _sharpness_worst(self, surfaces: Surfaces, scope: Scope, poll: Callable[[], None]) -> _Signal:
        rho, iterations = self._settings.rho, self._settings.iterations
        found = sharpness_worst(surfaces, self._probe_set, scope, rho=rho, iterations=iterations, poll=poll)
        chosen = found.best_increases if self._settings.worst_value == "best" else found.last_increases
        return _Signal(
            mean_over_batches(chosen, self._sizes),
            chosen,
            lambda vector: error_within_batches(vector, self._sizes),
            {"points": sum(self._sizes), "batches": len(self._sizes), "rho": rho, "iterations": iterations},
            {"sharpness_worst_last": mean_over_batches(found.last_increases, self._sizes)},
        )

    @contextmanager
    def _surfaces(self, scope: Scope, features: HeadFeatures | None) -> Iterator[Surfaces]:
        if features is not None:
            yield head_surfaces(features, self._probe_set, scope)
            return
        with PerturbedWeights(scope) as weights:
            yield network_surfaces(self._model, self._objective, self._probe_set, scope, weights)

    def _gradients_of(self, scope: Scope) -> ExampleGradients:
        """Kept for as long as the same parameters are in scope: making it checks every layer's rule."""
        identity = tuple(map(id, scope.parameters))
        if self._example_gradients is None or self._example_gradients[0] != identity:
            example_batch = self._probe_set.batches[0]
            made = ExampleGradients(self._model, self._objective, scope, example_batch)
            self._example_gradients = (identity, made)
        return self._example_gradients[1]

    def _measurements(
        self, update: int, metric: str, scope: Scope, signal: _Signal, seconds: float
    ) -> list[Measurement]:
        """The signal with its errors, then its companions; its vector goes into the history."""

        def paired_error(back: int) -> float | None:
            partner = self._history.partner(update, back, metric, scope.digest)
            return None if partner is None or signal.vector is None else signal.error(signal.vector - partner)

        measurement = Measurement(
            f"probe/{metric}",
            signal.value,
            None if signal.vector is None else signal.error(signal.vector),
            paired_error(1),
            paired_error(self._settings.tau),
            seconds,
            signal.extras,
        )
        if signal.vector is not None:
            self._history.record(update, metric, scope.digest, signal.vector)
        if signal.eigenvector is not None:
            self._eigenvectors.record(update, scope.digest, signal.eigenvector)
        return [measurement, *(Measurement(f"probe/{name}", value) for name, value in signal.companions.items())]
