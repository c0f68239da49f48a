"""Every metric that a prober knows, by name.

A new metric is a file with its mathematics, a function here or there that takes a `BoundaryProbe`, and one row.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from thawline.errors import UserError
from thawline.probes.boundary_probe import BoundaryProbe, Signal
from thawline.probes.critical_sharpness import critical_sharpness
from thawline.probes.fisher import (
    FisherTrace,
    fisher_trace_by_batch,
    fisher_trace_of_head,
    fisher_trace_per_example,
)
from thawline.probes.float32_weights import require_float32_weights
from thawline.probes.hessian import hessian_lambda_max
from thawline.probes.label_source import LabelSource
from thawline.probes.loss_gradient import loss_and_gradient_norm
from thawline.probes.noise import search_start
from thawline.probes.sharpness import mean_over_batches, sharpness_avg, sharpness_worst
from thawline.probes.standard_errors import (
    degrees_over_draws_and_points,
    error_over_draws_and_points,
    error_over_points,
    error_within_batches,
)
from thawline.probes.update_direction import update_direction


def _fisher_trace(probe: BoundaryProbe) -> Signal:
    settings, model, objective, probe_set = probe.settings, probe.model, probe.objective, probe.probe_set
    source = LabelSource(settings.labels, settings.seed, sum(probe_set.sizes))
    found: FisherTrace
    if settings.estimator == "batch":
        found = fisher_trace_by_batch(model, objective, probe_set, probe.scope, source, probe.poll, probe.blocks)
    elif probe.features is not None:
        found = fisher_trace_of_head(probe.features, probe_set, settings.labels)
    else:
        gradients = probe.example_gradients()
        found = fisher_trace_per_example(
            model, objective, probe_set, gradients, source, probe.poll, settings.micro_batch, probe.blocks
        )
    count = probe.scope.num_parameters
    companions = {
        "fisher_trace_sum": found.trace,
        "fisher_trace_num_parameters": float(count),
        "label_uncertainty": float(found.label_uncertainty.mean()),
    }
    if found.feature_norms_squared is not None:
        companions["feature_norm_squared"] = float(found.feature_norms_squared.mean())
    parts = {
        block: _trace_of(trace, norms, probe.blocks[block].num_parameters)
        for block, (trace, norms) in found.by_block.items()
    }
    return replace(_trace_of(found.trace, found.squared_norms, count), companions=companions, parts=parts)


def _trace_of(trace: float, squared_norms: Tensor | None, count: int) -> Signal:
    vector = None if squared_norms is None else squared_norms / count
    companions = {"fisher_trace_sum": trace, "fisher_trace_num_parameters": float(count)}
    return Signal(trace / count, vector, error_over_points, companions=companions)


def _sharpness_avg(probe: BoundaryProbe) -> Signal:
    settings, sizes = probe.settings, probe.probe_set.sizes
    require_float32_weights(probe.scope, "sharpness_avg")
    with probe.surfaces() as surfaces:
        increases = sharpness_avg(
            surfaces,
            probe.probe_set,
            probe.scope,
            rho=settings.rho,
            draws=settings.draws,
            noise=settings.noise,
            seed=settings.seed,
            poll=probe.poll,
        )
    return Signal(
        mean_over_batches(increases, sizes),
        increases,
        lambda vector: error_over_draws_and_points(vector, sizes),
        degrees_over_draws_and_points(increases, sizes),
    )


def _sharpness_worst(probe: BoundaryProbe) -> Signal:
    settings, sizes = probe.settings, probe.probe_set.sizes
    require_float32_weights(probe.scope, "sharpness_worst")
    with probe.surfaces() as surfaces:
        found = sharpness_worst(
            surfaces,
            probe.probe_set,
            probe.scope,
            rho=settings.rho,
            iterations=settings.iterations,
            search=settings.search,
            tolerance=settings.search_tolerance,
            poll=probe.poll,
            # On features there is no network whose passes could be cheaper.
            search_precision="float32" if probe.features is not None else settings.search_precision,
        )
    last = found.last_increases
    chosen = found.best_increases if settings.worst_value == "best" or last is None else last
    if last is None:
        companions = {"sharpness_worst_gradients": sum(found.gradients) / len(found.gradients)}
    else:
        companions = {"sharpness_worst_last": mean_over_batches(last, sizes)}
    return Signal(
        mean_over_batches(chosen, sizes),
        chosen,
        lambda vector: error_within_batches(vector, sizes),
        companions=companions,
    )


def _critical_sharpness(probe: BoundaryProbe) -> Signal | None:
    rule, scope = probe.update_rule, probe.scope
    if rule is None:
        raise UserError(
            "probe_optimizer",
            "critical_sharpness needs the optimizer that makes the updates, and this prober was given none",
            "make the prober with `update_rule=UpdateRule(optimizer)`",
        )
    if probe.update == 1:
        # Whether it can be measured at all is known now.
        update_direction(rule, scope, torch.zeros(scope.num_parameters, device=scope.parameters[0].device))
        warnings.warn("critical_sharpness has no value before the first update, which nothing precedes", stacklevel=2)
        return None
    with probe.surfaces() as surfaces:
        found = critical_sharpness(surfaces, probe.probe_set, scope, rule, probe.poll)
    companions = {"critical_learning_rate": found.rate}
    return Signal(found.value, found.influences, error_over_points, companions=companions)


def _hessian_lambda_max(probe: BoundaryProbe) -> Signal:
    scope, warm = probe.scope, probe.earlier_eigenvector
    device = scope.parameters[0].device
    fresh = search_start(scope.num_parameters, probe.settings.seed).to(device)
    found = hessian_lambda_max(probe.loss_terms(), scope, fresh, None if warm is None else warm.to(device))
    companions = {"hessian_lambda_max_residual": found.residual}
    return Signal(found.value, companions=companions, eigenvector=found.vector)


def _feature_lambda_max(probe: BoundaryProbe) -> Signal:
    return Signal(probe.spectrum.lambda_max)


def _feature_rank(probe: BoundaryProbe) -> Signal:
    ranks = probe.spectrum
    companions = {"feature_numerical_rank": ranks.numerical_rank, "feature_entropy_rank": ranks.entropy_rank}
    return Signal(ranks.rank, companions=companions)


def _gradient_norm(probe: BoundaryProbe) -> Signal:
    loss, norm, norms = loss_and_gradient_norm(probe.loss_terms(), probe.scope, probe.blocks)
    return Signal(norm, companions={"loss": loss}, parts={block: Signal(part) for block, part in norms.items()})


# None: it has no value at this boundary.
Measure = Callable[[BoundaryProbe], Signal | None]

_MEASURES_WITH_ERRORS: Final[dict[str, Measure]] = {
    "fisher_trace": _fisher_trace,
    "sharpness_avg": _sharpness_avg,
    "sharpness_worst": _sharpness_worst,
    "critical_sharpness": _critical_sharpness,
}
MEASURES: Final[dict[str, Measure]] = {
    **_MEASURES_WITH_ERRORS,
    "hessian_lambda_max": _hessian_lambda_max,
    "feature_lambda_max": _feature_lambda_max,
    "feature_rank": _feature_rank,
    "gradient_norm": _gradient_norm,
}
METRICS: Final = tuple(MEASURES)
OF_FEATURES: Final = ("feature_lambda_max", "feature_rank")
"""Those of the vector that the head reads, which no block has a part of."""
SIGNALS: Final = tuple(_MEASURES_WITH_ERRORS)
"""Those that a detector may watch: they come with errors."""
PAPER_SIGNALS: Final = ("fisher_trace", "sharpness_avg", "sharpness_worst")
OF_WEIGHTS: Final = tuple(metric for metric in METRICS if metric != "critical_sharpness")
"""Those that are a matter of weights and points alone, and need no optimizer."""
