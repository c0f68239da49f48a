"""Squared norms of per-example gradients, without holding the per-example gradients of a whole network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from thawline.probes.objective import MICRO_BATCH, Batch, Objective, batch_size, micro_batches, slice_batch
from thawline.probes.recording import Recording, backward
from thawline.probes.ruled_layers import Layout, RuledLayer, ruled_layers
from thawline.probes.scope import Scope, dense

# The rules sum in float32; one that does not fit its layer is wrong by far more than this.
RULE_TOLERANCE = 1e-3


class ExampleGradients:
    """Per-example squared gradient norms of a model's parameters in scope. The model must be in `measuring` state.

    Most layers need one forward and one backward pass over the micro-batch, by the rules of `layer_rules`. A rule is
    believed where three things hold. On the first two of the examples its norms are those of autograd, parameter by
    parameter; one that has compared zeros only is compared again when it first gives something else. On all examples
    together, what the layers read and what came back to them accounts for autograd's gradient of the sum: so no other
    use of a parameter escapes. And in each pass every call of the layer is as the rule expects it. All other parameters
    are differentiated example by example: slow, with a warning, but never left out. `poll` is called between the
    micro-batches of the second comparison.

    Memory, besides the activations of a micro-batch and the gradients at what its layers gave: what a rule makes of as
    many examples as fit `NUMBERS_AT_ONCE`, or of one (a Gram matrix of its positions, or a weight's gradient, whichever
    takes less work); a few tensors like a layer's activations for those that normalise; and one gradient of each
    parameter wherever rules are compared.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        scope: Scope,
        batches: Sequence[Batch],
        micro_batch: int = MICRO_BATCH,
        poll: Callable[[], None] = lambda: None,
    ) -> None:
        self._model = model
        self._objective = objective
        self._parameters = dict(zip(scope.names, scope.parameters, strict=True))
        self._layers = ruled_layers(model, self._parameters)
        self._unproven: set[str] = set()
        self._warned: set[str] = set()
        disagreeing, missed = self._compared(self._first_recording(slice_batch(batches[0], 0, 2)))
        self._distrust(disagreeing)
        for batch in batches:
            for part in micro_batches(batch, micro_batch):
                poll()
                self._distrust(self._unaccounted(part))
        why = "have no rule for per-example gradients, or a use that their rule does not see"
        self._warn_of([*self._slow, *missed], why)

    @property
    def _slow(self) -> list[str]:
        """Names of the parameters that no layer's rule is believed for."""
        ruled = {name for layer in self._layers for name in layer.names.values()}
        return [name for name in self._parameters if name not in ruled]

    def forward(self, batch: Batch) -> Recording:
        """One forward pass over a micro-batch, remembered for one call of `squared_norms`."""
        recording = Recording(batch)
        with recording.watching(self._layers):
            recording.logits = self._objective.logits(self._model, batch)
        return recording

    def squared_norms(self, recording: Recording, gradients: Sequence[list[Tensor]]) -> Tensor:
        """||grad||^2 of each example over the parameters in scope, summed over backward passes; float64 [examples]."""
        by_parameter = self.norms_by_parameter(recording, gradients)
        return total_norms(recording, by_parameter, by_parameter)

    def norms_by_parameter(self, recording: Recording, gradients: Sequence[list[Tensor]]) -> dict[str, Tensor]:
        """The same for each parameter, [examples]; one on which the logits do not depend is left out.

        `gradients` holds, for each backward pass, the gradient at each of the recording's logits.
        """
        missed = self._reached(recording, gradients[0], recording.missed(self._layers))
        by_rule = recording.squared_norms(gradients)
        wrong = self._prove(recording.batch, gradients, by_rule)
        missed += [name for name in recording.failed if name not in self._slow]
        self._warn_of(missed, "have a layer that has not run as its rule expects it in this pass")
        self._warn_of(wrong, "have gradients that their rule does not give")
        slow = [*self._slow, *missed]
        return by_rule | self._slow_norms(recording.batch, gradients, slow)

    def _slow_norms(
        self,
        batch: Batch,
        gradients: Sequence[list[Tensor]],
        names: Sequence[str],
        examples: Sequence[int] | None = None,
    ) -> dict[str, Tensor]:
        """The same by autograd, one example at a time; of the others the norms are zero."""
        parameters = [self._parameters[name] for name in names]
        norms = [torch.zeros(batch_size(batch), device=parameter.device) for parameter in parameters]
        for example in (range(batch_size(batch)) if examples is None else examples) if names else ():
            logits = self._objective.logits(self._model, slice_batch(batch, example, example + 1))
            for index, pass_gradients in enumerate(gradients):
                chosen = [gradient[example : example + 1] for gradient in pass_gradients]
                found = backward(logits, chosen, parameters, retain_graph=index < len(gradients) - 1)
                for norm, gradient in zip(norms, found, strict=True):
                    if gradient is not None:
                        norm[example] += _squared_sum(gradient)
        return dict(zip(names, norms, strict=True))

    def _compared(self, recording: Recording) -> tuple[set[str], list[str]]:
        """Names of parameters whose rule gives other norms than autograd, and of those that no rule sees.

        Remembers the rules that have given zeros only.
        """
        gradients = [_trial_gradients(recording)]
        missed = self._reached(recording, gradients[0], recording.missed(self._layers))
        by_rule = recording.squared_norms(gradients)
        by_autograd = self._slow_norms(recording.batch, gradients, list(by_rule))
        ruled = {name for layer in self._layers for name in layer.names.values()}
        self._unproven = {name for name in ruled if name not in by_rule or not by_rule[name].any()}
        disagreeing = {name for name, norms in by_rule.items() if not _agree(norms, by_autograd[name])}
        return disagreeing.union(recording.failed), missed

    def _first_recording(self, batch: Batch) -> Recording:
        """A forward pass, after the layers have been told how they are called.

        An embedding that reads one row for all examples, as of positions, gets a row for each: what it gives is
        repeated over the examples, which adding it to theirs does anyway. A model in which that makes a difference, or
        that cannot do with it, keeps it as it is.
        """
        plain, layers = self.forward(batch), self._layers
        bearable: dict[RuledLayer, Layout] = {one: seen for one, seen in plain.layouts.items() if seen != "one row"}
        for layouts in (plain.layouts, bearable) if plain.layouts else ():
            self._layers = [replace(layer, layout=layouts.get(layer, layer.layout)) for layer in layers]
            try:
                recording = self.forward(batch)
                pairs = list(zip(plain.logits, recording.logits, strict=True))
                if all(a.shape == b.shape and torch.allclose(a, b, rtol=RULE_TOLERANCE, atol=0) for a, b in pairs):
                    return recording
            except (RuntimeError, TypeError, ValueError, LookupError):
                continue
        self._layers = layers
        return plain

    def _unaccounted(self, batch: Batch) -> set[str]:
        """Names of parameters that get more or less gradient from `batch` than the recorded calls explain."""
        recording = self.forward(batch)
        gradients = _trial_gradients(recording)
        names = recording.ruled()
        parameters = [self._parameters[name] for name in names]
        whole = dict(zip(names, backward(recording.logits, gradients, parameters, retain_graph=True), strict=True))
        explained = recording.summed_gradients(gradients)
        return {
            name
            for name in names
            if not _agree_in_sum(whole[name], explained.get(name), self._parameters[name], batch_size(batch))
        }

    def _reached(self, recording: Recording, gradients: list[Tensor], names: list[str]) -> list[str]:
        """Of these parameters those on which the logits depend: of the others each example's gradient is zero."""
        if not names:
            return []
        parameters = [self._parameters[name] for name in names]
        found = backward(recording.logits, gradients, parameters, retain_graph=True)
        return [name for name, gradient in zip(names, found, strict=True) if gradient is not None]

    def _prove(self, batch: Batch, gradients: Sequence[list[Tensor]], by_rule: dict[str, Tensor]) -> list[str]:
        """Compares rules that have given zeros so far, on the example where they give most.

        Returns names of those that are wrong, which from now on, and in `by_rule`, are no rules.
        """
        wrong = []
        for name in sorted(self._unproven & by_rule.keys()):
            if not by_rule[name].any():
                continue
            example = int(by_rule[name].argmax())
            by_autograd = self._slow_norms(batch, gradients, [name], [example])[name]
            self._unproven.discard(name)
            if not _agree(by_rule[name][example], by_autograd[example]):
                wrong.append(name)
        if wrong:
            self._distrust(set(wrong))
            for name in self._slow:
                by_rule.pop(name, None)
        return wrong

    def _distrust(self, names: set[str]) -> None:
        """Lets go of the layers of these parameters, and so of the layers that share other parameters with those."""
        while names:
            gone = [layer for layer in self._layers if names.intersection(layer.names.values())]
            self._layers = [layer for layer in self._layers if layer not in gone]
            names = {name for layer in gone for name in layer.names.values()}

    def _warn_of(self, names: Sequence[str], why: str) -> None:
        """Once for each parameter."""
        new = [name for name in names if name not in self._warned]
        self._warned.update(new)
        if new:
            warnings.warn(
                f"{len(new)} of {len(self._parameters)} parameters in scope ({new[0]!r} first) {why}: they are "
                "differentiated example by example, which is slow",
                stacklevel=3,
            )


def total_norms(recording: Recording, by_parameter: Mapping[str, Tensor], names: Iterable[str]) -> Tensor:
    """The sum of the squared norms over the parameters `names`, float64 [examples]."""
    total = torch.zeros(batch_size(recording.batch), dtype=torch.float64, device=recording.logits[0].device)
    for name in names:
        if name in by_parameter:
            total += by_parameter[name]
    return total


def _trial_gradients(recording: Recording) -> list[Tensor]:
    """At each of the logits, the same for all examples, another one for each class."""
    return [torch.linspace(-1, 1, out[0].numel()).to(out).view_as(out[0]).expand_as(out) for out in recording.logits]


def _agree(by_rule: Tensor, by_autograd: Tensor) -> bool:
    return torch.allclose(by_rule.double(), by_autograd.double(), rtol=RULE_TOLERANCE, atol=1e-12)


def _agree_in_sum(whole: Tensor | None, explained: Tensor | None, parameter: Tensor, examples: int) -> bool:
    """Whether two gradients, of which None is zero, differ by rounding only."""
    first, second = (torch.zeros_like(parameter) if found is None else dense(found) for found in (whole, explained))
    size = max(first.norm().item(), second.norm().item())
    return bool((first - second).norm().item() <= RULE_TOLERANCE * size + 1e-6 * examples)


def _squared_sum(gradient: Tensor) -> Tensor:
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    return values.square().sum()
