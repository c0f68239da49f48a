"""The probes of one run: measures signals at a boundary, with their errors, and leaves the training as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from torch import Tensor, nn

from thawline.errors import UserError
from thawline.interruption import Interrupted
from thawline.probes.block_signals import BlockSignals
from thawline.probes.boundary_probe import BoundaryProbe, Signal
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.frozen_prefix import FrozenPrefix
from thawline.probes.head_features import KeptFeatures
from thawline.probes.meaning import require_meaning, require_softmax
from thawline.probes.measurement import Measurement, MeasurementHistory, with_blocks
from thawline.probes.measures import MEASURES, METRICS, OF_FEATURES, PAPER_SIGNALS
from thawline.probes.objective import LabelledObjective, Objective, ProbeSetObjective
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope, measuring, parts_of, resolve_scope
from thawline.probes.settings import ProbeSettings
from thawline.probes.untouched import untouched
from thawline.probes.update_direction import UpdateRule


class Prober:
    """Measures the signals of a model, and what else describes it, on a fixed probe set.

    The model may be in any mode and any state of freezing: `training` flags, requires_grad, gradients, weights,
    buffers and the global random state are the same after a measurement as before it, bit for bit. The same weights
    give the same values, bit for bit, on the same machine with the same number of threads. Only `hessian_lambda_max`
    also depends, within its residual, on the boundary before, where its search starts.

    `stages` names the model's layers in the order in which they run, each reading what the one before gave as its first
    positional argument. Those below everything in scope are then run once, and again only when they have changed. It
    changes no value; without it, every probe runs the whole model. `update_rule` names the optimizer, whose state
    `critical_sharpness` depends on besides the weights; it is read and never stepped.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        probe_set: ProbeSet,
        settings: ProbeSettings,
        stages: Sequence[str] = (),
        update_rule: UpdateRule | None = None,
    ) -> None:
        if isinstance(objective, ProbeSetObjective):
            objective = objective.for_probe_set(probe_set.batches)
        self._is_checked = self._has_softmax = False
        self._model = model
        self._objective = objective
        self._probe_set = probe_set
        self.settings = settings
        self._update_rule = update_rule
        self._features = KeptFeatures(model, objective, probe_set, settings.cache_bytes, settings.micro_batch)
        self._prefix = FrozenPrefix(model, objective, probe_set, stages, settings.cache_bytes, settings.micro_batch)
        self._history = MeasurementHistory(settings.every, settings.tau, settings.start)
        self._num_measured = 0
        self._example_gradients: tuple[tuple[int, ...], ExampleGradients] | None = None

    def measure(
        self, update: int, metrics: Sequence[str] = PAPER_SIGNALS, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Measurement]:
        """The metrics of boundary `update`, in the order asked for, each followed by its companions.

        One that has no value there is left out, with a warning.
        `should_stop` is asked between batches; if it says yes, Interrupted is raised,
        the model is as it was, and nothing is recorded.
        Raises UserError for an unknown metric, for an empty scope, for the features of a model without such a head, and
        what `check` raises.
        """

        def poll() -> None:
            if should_stop():
                raise Interrupted

        for metric in metrics:
            if metric not in MEASURES:
                raise UserError("probe_metric", f"unknown probe metric {metric!r}", f"choose from {', '.join(METRICS)}")
        self.check()
        if "fisher_trace" in metrics and not self._has_softmax:
            require_softmax(self._model, self._objective, self._probe_set)
            self._has_softmax = True
        scope = resolve_scope(self._model, self.settings.scope, self.settings.all_parameter_names)
        signals: dict[str, tuple[Signal, float]] = {}
        of_blocks: dict[str, tuple[dict[str, Signal], float]] = {}
        with measuring(self._model, scope), untouched(self._model, scope):
            began = time.perf_counter()
            check = self._is_check_due()
            features = self._features.current(scope, poll, check=check)
            boundary = BoundaryProbe(
                self._model,
                self._objective,
                self._probe_set,
                self.settings,
                scope,
                features,
                lambda: self._gradients_of(scope, poll, check=check),
                self._history.earlier_eigenvector(update, scope),
                poll,
                update,
                self._update_rule,
                parts_of(scope, self.settings.blocks) if self.settings.scope == "blocks" else {},
            )
            blocks = BlockSignals(boundary)
            # The closed forms need no forward pass at all, so there is nothing to begin further up.
            with self._prefix.serving(scope, check=check) if features is None else nullcontext():
                for metric in metrics:
                    signal = MEASURES[metric](boundary)
                    ended = time.perf_counter()
                    if signal is not None:
                        signals[metric] = (signal, ended - began)
                        if metric not in OF_FEATURES:
                            parts = blocks.measure(MEASURES[metric], signal)
                            of_blocks[metric] = (parts, time.perf_counter() - ended)
                    began = time.perf_counter()
        return [
            measurement
            for metric, (signal, seconds) in signals.items()
            for measurement in with_blocks(
                self._history.measurements(update, metric, scope, signal, seconds), *of_blocks.get(metric, ({}, 0.0))
            )
        ]

    def check(self) -> None:
        """Refuses what would give signals without a meaning, once; the first measurement does so by itself.

        Raises UserError (`meaning.py`).
        """
        if not self._is_checked:
            require_meaning(self._model, self._objective, self._probe_set)
            self._is_checked = True
            self._has_softmax = isinstance(self._objective, LabelledObjective)

    def regrid(self, every: int) -> None:
        """From here on a point comes every `every` updates: later ones are compared with points on that grid alone."""
        self._history.regrid(every)

    def forget_kept(self) -> None:
        """Frees what is kept from one measurement to the next, which changes no value.

        To be called when other parameters train than before: what was kept stands for all that was frozen, and may
        never be asked for again.
        """
        self._features.forget()
        self._prefix.forget()

    def state_dict(self) -> dict[str, Tensor]:
        """The vectors of the last boundaries, on the CPU, from which a resumed run goes on."""
        return self._history.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._history.load_state_dict(state)

    def _is_check_due(self) -> bool:
        """At every `check_every`-th measurement after the first."""
        every, done = self.settings.check_every, self._num_measured
        self._num_measured += 1
        return every > 0 and done > 0 and done % every == 0

    def _gradients_of(self, scope: Scope, poll: Callable[[], None], *, check: bool) -> ExampleGradients:
        """Kept for as long as the same parameters are in scope: making it checks every layer's rule."""
        identity = tuple(map(id, scope.parameters))
        if check or self._example_gradients is None or self._example_gradients[0] != identity:
            batches, size = self._probe_set.batches, self.settings.micro_batch
            made = ExampleGradients(self._model, self._objective, scope, batches, size, poll)
            self._example_gradients = (identity, made)
        return self._example_gradients[1]
