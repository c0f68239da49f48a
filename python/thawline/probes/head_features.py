"""The inputs of the head on the probe set: all that the probes need while a linear head alone is in scope."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.probes.feature_spectrum import FeatureSpectrum, feature_spectrum
from thawline.probes.fingerprint import Fingerprint, fingerprint, num_bytes, settings_of, tensors_outside
from thawline.probes.objective import (
    MICRO_BATCH,
    BernoulliHeadObjective,
    LayeredHeadObjective,
    LinearHeadObjective,
    Objective,
    forward_parts,
)
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope


@dataclass(frozen=True)
class HeadFeatures:
    """One forward pass over the probe set: the features [examples, D] of each batch, and the head that reads them."""

    objective: LinearHeadObjective
    head: nn.Linear
    features: list[Tensor]

    @cached_property
    def spectrum(self) -> FeatureSpectrum:
        return feature_spectrum(torch.cat(self.features))


class KeptFeatures:
    """The head's features of the last boundary, for as long as nothing but the head has changed.

    At most `max_bytes` are kept from one boundary to the next.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        probe_set: ProbeSet,
        max_bytes: int,
        micro_batch: int = MICRO_BATCH,
    ) -> None:
        self._model = model
        self._objective = objective
        self._probe_set = probe_set
        self._max_bytes = max_bytes
        self._micro_batch = micro_batch
        self._kept: tuple[tuple[Fingerprint, tuple[object, ...]], HeadFeatures] | None = None
        self._is_trusted = True

    def forget(self) -> None:
        """Frees what is kept."""
        self._kept = None

    def current(self, scope: Scope, poll: Callable[[], None], *, check: bool = False) -> HeadFeatures | None:
        """As `head_features`, but without a forward pass where nothing below the head has changed since the last.

        `check`: there is a pass in any case, and where it gives something else than what was kept, nothing is kept any
        more; one warning says so.
        """
        head = linear_head(self._model, self._objective)
        if head is None or not is_exactly(head, scope):
            self._kept = None
            return None
        now = (fingerprint(tensors_outside(self._model, [head])), settings_of(self._model.modules()))
        kept = self._kept[1] if self._kept is not None and self._kept[0] == now and self._kept[1].head is head else None
        if kept is not None and not check:
            return kept
        found = head_features(self._model, self._objective, self._probe_set, scope, poll, self._micro_batch)
        self._kept = None
        if kept is not None and (found is None or not agree(kept.features, found.features)):
            self._is_trusted = False
            warn_of_hidden_change("the features before the head")
        if found is not None and self._is_trusted and num_bytes(found.features) <= self._max_bytes:
            self._kept = (now, found)
        return found


def agree(kept: Sequence[Tensor], fresh: Sequence[Tensor]) -> bool:
    """Whether these are the same to rounding: on a GPU a pass need not repeat itself bit for bit."""
    return len(kept) == len(fresh) and all(
        one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-6, equal_nan=True)
        for one, other in zip(kept, fresh, strict=True)
    )


def warn_of_hidden_change(what: str) -> None:
    """Of something that no weight, buffer, attribute or variable of the code shows."""
    warnings.warn(
        f"{what} have changed, though nothing has that they are known to depend on (a file, the environment, a "
        "variable of a library): they are no longer kept, and values since the last check may be stale",
        stacklevel=3,
    )


@contextmanager
def recorded_calls(layer: nn.Module | None) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Collects (input, output), detached, of each call of the layer in the `with` block."""
    calls: list[tuple[Tensor, Tensor]] = []

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append((inputs[0].detach(), output.detach()))

    handle = None if layer is None else layer.register_forward_hook(record)
    try:
        yield calls
    finally:
        if handle is not None:
            handle.remove()


def linear_head(model: nn.Module, objective: Objective) -> nn.Linear | None:
    """The model's linear head, if the objective names one."""
    return objective.head(model) if isinstance(objective, LinearHeadObjective) else None


def first_head_layer(model: nn.Module, objective: Objective) -> nn.Module | None:
    """The layer that reads the features: the first of the head, if the objective names one."""
    if isinstance(objective, LayeredHeadObjective):
        return objective.first_layer(model)
    return linear_head(model, objective)


def is_exactly(module: nn.Module, scope: Scope) -> bool:
    """Whether the parameters in scope are those of the module."""
    return {id(parameter) for parameter in scope.parameters} == {id(parameter) for parameter in module.parameters()}


@torch.no_grad()
def head_features(
    model: nn.Module,
    objective: Objective,
    probe_set: ProbeSet,
    scope: Scope,
    poll: Callable[[], None],
    micro_batch: int = MICRO_BATCH,
) -> HeadFeatures | None:
    """The features of the probe set, if the closed forms hold; None if the general path has to be taken.

    They hold when exactly the parameters of one `nn.Linear` are in scope and its output, for features
    [examples, D], is the logits of the only softmax, or of Bernoulli distributions. `poll` is called before each batch.
    """
    head = linear_head(model, objective)
    if head is None or type(head) is not nn.Linear:
        return None
    assert isinstance(objective, LinearHeadObjective)
    if not is_exactly(head, scope):
        return None
    features = []
    for batch in probe_set.batches:
        poll()
        parts = []
        for part in forward_parts(batch, head.weight.device, micro_batch):
            with recorded_calls(head) as calls:
                logits = objective.logits(model, part)
            if len(logits) != 1 or len(calls) != 1:
                return None
            inputs, outputs = calls[0]
            if inputs.dim() != 2 or not torch.equal(logits_of_head(objective, outputs), logits[0]):
                return None
            parts.append(inputs)
        features.append(torch.cat(parts))
    return HeadFeatures(objective, head, features)


def logits_of_head(objective: LinearHeadObjective, outputs: Tensor) -> Tensor:
    """The objective's logits tensor, made of what its linear head gives, [examples, classes]."""
    return objective.as_softmaxes(outputs) if isinstance(objective, BernoulliHeadObjective) else outputs


@torch.no_grad()
def features_before_head(
    model: nn.Module,
    objective: Objective,
    probe_set: ProbeSet,
    poll: Callable[[], None],
    micro_batch: int = MICRO_BATCH,
) -> Tensor:
    """The features of all probe points, [points, D], whatever is in scope; `poll` is called before each batch.

    They are what the head reads: the input of the first of its layers, also where it has several. Raises UserError for
    a model without a head that reads one feature vector per point.
    """
    reader = first_head_layer(model, objective)
    features = []
    for batch in probe_set.batches:
        poll()
        for part in forward_parts(batch, next(model.parameters()).device, micro_batch):
            with recorded_calls(reader) as calls:
                objective.logits(model, part)
            if len(calls) != 1 or calls[0][0].dim() != 2:
                raise UserError(
                    "probe_features",
                    "probe.metrics asks for the features before the head, but the model has no head that begins "
                    "with a linear layer and reads one feature vector per point",
                    "remove `feature_rank` and `feature_lambda_max` from probe.metrics",
                )
            features.append(calls[0][0])
    return torch.cat(features)
