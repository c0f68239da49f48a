"""Squared norms of per-example gradients, without holding the per-example gradients of a whole network."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from thawline.probes.layer_norms import LayerNorms, layer_norms_for
from thawline.probes.objective import Batch, Objective, batch_size, slice_batch
from thawline.probes.scope import Scope

# The rules sum in float32; one that does not fit its layer is wrong by far more than this.
RULE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class RuledLayer:
    """A layer with a rule, and the full names of its parameters in scope ({"weight": "fc.weight"})."""

    module: nn.Module
    layer_norms: LayerNorms
    names: dict[str, str]


class ExampleGradients:
    """Per-example squared gradient norms of a model's parameters in scope. The model must be in `measuring` state.

    Most layers need one forward and one backward pass over the micro-batch, by the rules of `layer_norms`. On the
    first two examples of `example_batch` the rules are compared with autograd, parameter by parameter. Parameters that
    are shared, owned by a layer without a rule, or fail the comparison are differentiated example by example: slow,
    with one warning, but never left out.
    """

    def __init__(self, model: nn.Module, objective: Objective, scope: Scope, example_batch: Batch) -> None:
        self._model = model
        self._objective = objective
        self._parameters = dict(zip(scope.names, scope.parameters, strict=True))
        self._layers = _ruled_layers(model, self._parameters)
        unfit = self._unfit(slice_batch(example_batch, 0, 2))
        self._layers = [layer for layer in self._layers if not unfit.intersection(layer.names.values())]
        ruled = {name for layer in self._layers for name in layer.names.values()}
        self._slow = [name for name in scope.names if name not in ruled]
        if self._slow:
            warnings.warn(
                f"{len(self._slow)} of {len(scope.names)} parameters in scope ({self._slow[0]!r} first) have no rule "
                "for per-example gradients: they are differentiated example by example, which is slow",
                stacklevel=2,
            )

    def forward(self, batch: Batch) -> Recording:
        """One forward pass over a micro-batch, remembered for one call of `squared_norms`."""
        recording = self._record(batch)
        assert not recording.unfit, f"{recording.unfit} changed their place in the forward pass"
        return recording

    def squared_norms(self, recording: Recording, gradients: Sequence[list[Tensor]]) -> Tensor:
        """||grad||^2 of each example over the parameters in scope, summed over backward passes; float64 [examples].

        `gradients` holds, for each backward pass, the gradient at each of the recording's logits.
        """
        by_parameter = recording.squared_norms(gradients) | self._slow_norms(recording.batch, gradients, self._slow)
        total = torch.zeros(batch_size(recording.batch), dtype=torch.float64, device=recording.logits[0].device)
        for norms in by_parameter.values():
            total += norms
        return total

    def _slow_norms(self, batch: Batch, gradients: Sequence[list[Tensor]], names: list[str]) -> dict[str, Tensor]:
        """The same by autograd, one example at a time."""
        parameters = [self._parameters[name] for name in names]
        norms = [torch.zeros(batch_size(batch), device=parameter.device) for parameter in parameters]
        for example in range(batch_size(batch) if names else 0):
            logits = self._objective.logits(self._model, slice_batch(batch, example, example + 1))
            for index, pass_gradients in enumerate(gradients):
                chosen = [gradient[example : example + 1] for gradient in pass_gradients]
                found = _backward(logits, chosen, parameters, retain_graph=index < len(gradients) - 1)
                for norm, gradient in zip(norms, found, strict=True):
                    if gradient is not None:
                        norm[example] += gradient.square().sum()
        return dict(zip(names, norms, strict=True))

    def _record(self, batch: Batch) -> Recording:
        recording = Recording(batch)
        handles = [layer.module.register_forward_hook(recording.hook(layer)) for layer in self._layers]
        try:
            recording.logits = self._objective.logits(self._model, batch)
        finally:
            for handle in handles:
                handle.remove()
        return recording

    def _unfit(self, batch: Batch) -> set[str]:
        """Names of parameters whose rule disagrees with autograd on `batch`, or whose layer runs more than once."""
        recording = self._record(batch)
        gradients = [[torch.linspace(-1, 1, out[0].numel()).to(out).expand_as(out) for out in recording.logits]]
        by_rule = recording.squared_norms(gradients)
        by_autograd = self._slow_norms(batch, gradients, list(by_rule))
        disagreeing = {
            name
            for name, norms in by_rule.items()
            if not torch.allclose(norms.double(), by_autograd[name].double(), rtol=RULE_TOLERANCE, atol=1e-12)
        }
        return disagreeing | recording.unfit


class Recording:
    """What one forward pass leaves behind: the logits, and for each ruled layer its input and its output's graph edge.

    The edge is taken at once: an in-place operation (ReLU, the sum of a residual block) later makes the output tensor
    stand for something else, but the edge still names the layer's own output.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.logits: list[Tensor] = []
        self.unfit: set[str] = set()
        self._examples = batch_size(batch)
        self._inputs: list[tuple[RuledLayer, Tensor]] = []
        self._edges: list[GradientEdge] = []

    def hook(self, layer: RuledLayer) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        calls = 0

        def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            nonlocal calls
            calls += 1
            if calls > 1 or not inputs or len(inputs[0]) != self._examples:
                self.unfit.update(layer.names.values())
            elif output.requires_grad:  # otherwise the forward pass cuts the graph here, and the gradient is zero
                self._inputs.append((layer, inputs[0].detach()))
                self._edges.append(get_gradient_edge(output))

        return record

    def squared_norms(self, gradients: Sequence[list[Tensor]]) -> dict[str, Tensor]:
        """By parameter name, [examples] in float32, of those parameters that the logits depend on."""
        norms: dict[str, Tensor] = {}
        for index, pass_gradients in enumerate(gradients):
            found = _backward(self.logits, pass_gradients, self._edges, retain_graph=index < len(gradients) - 1)
            for (layer, inputs), gradient in zip(self._inputs, found, strict=True):
                if gradient is None:
                    continue
                by_parameter = layer.layer_norms(layer.module, inputs, gradient)
                for local_name, name in layer.names.items():
                    earlier = norms.get(name)
                    norms[name] = by_parameter[local_name] if earlier is None else earlier + by_parameter[local_name]
        return norms


def _backward(
    logits: list[Tensor],
    gradients: list[Tensor],
    targets: Sequence[Tensor] | Sequence[GradientEdge],
    *,
    retain_graph: bool,
) -> Sequence[Tensor | None]:
    """Gradients at `targets` only: weight gradients of the batch are not computed, and no `.grad` is written."""
    reached = [(out, gradient) for out, gradient in zip(logits, gradients, strict=True) if out.requires_grad]
    if not reached or not targets:
        return [None] * len(targets)
    outputs, output_gradients = zip(*reached, strict=True)
    return torch.autograd.grad(outputs, targets, output_gradients, retain_graph=retain_graph, allow_unused=True)


def _ruled_layers(model: nn.Module, in_scope: dict[str, nn.Parameter]) -> list[RuledLayer]:
    """Layers with a rule that own parameters in scope, none of which another module owns as well."""
    modules = list(model.modules())
    owners = Counter(id(parameter) for module in modules for parameter in module.parameters(recurse=False))
    names = {id(parameter): name for name, parameter in in_scope.items() if owners[id(parameter)] == 1}
    layers = []
    for module in modules:
        own = {local: names[id(p)] for local, p in module.named_parameters(recurse=False) if id(p) in names}
        layer_norms = layer_norms_for(module)
        if own and layer_norms is not None:
            layers.append(RuledLayer(module, layer_norms, own))
    return layers
