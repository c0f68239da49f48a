"""What a forward pass leaves behind of layers whose per-example gradients a rule gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from thawline.probes.layer_norms import LayerNorms, layer_norms_for
from thawline.probes.objective import Batch, batch_size


@dataclass(frozen=True, eq=False)
class RuledLayer:
    """A layer with a rule, and the full names of its parameters in scope ({"weight": "fc.weight"})."""

    module: nn.Module
    layer_norms: LayerNorms
    names: dict[str, str]


@dataclass(frozen=True)
class Call:
    """What a ruled layer read, [examples, ...] without a graph, and the edge of what it gave.

    The edge is taken at once: an in-place operation (ReLU, the sum of a residual block) later makes the output tensor
    stand for something else, but the edge still names the layer's own output. None where the forward pass cuts the
    graph, and the gradient is zero.
    """

    layer: RuledLayer
    inputs: Tensor
    edge: GradientEdge | None


class Recording:
    """What one forward pass leaves behind: the logits, and of each ruled layer its calls."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.logits: list[Tensor] = []
        self._examples = batch_size(batch)
        self._calls: dict[RuledLayer, list[Call | None]] = {}

    def hook(self, layer: RuledLayer) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        calls = self._calls.setdefault(layer, [])

        def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if not self._fits(layer, inputs, output):
                calls.append(None)
            else:
                edge = get_gradient_edge(output) if output.requires_grad else None
                calls.append(Call(layer, inputs[0].detach(), edge))

        return record

    def _fits(self, layer: RuledLayer, inputs: tuple[object, ...], output: object) -> bool:
        """One row an example, and one type of numbers: inside a forward's own autocast there are two."""
        read = inputs[0] if inputs else None
        if not isinstance(read, Tensor) or not isinstance(output, Tensor):
            return False
        types = {read.dtype, output.dtype, *(parameter.dtype for parameter in layer.module.parameters(recurse=False))}
        return read.dim() > 1 and len(read) == len(output) == self._examples and len(types) == 1

    def ruled(self) -> list[RuledLayer]:
        """Layers that ran exactly once, as their rule expects it."""
        return [layer for layer, calls in self._calls.items() if len(calls) == 1 and calls[0] is not None]

    def missed(self, layers: Sequence[RuledLayer]) -> list[str]:
        """Names of the parameters of all other layers."""
        ruled = set(self.ruled())
        return [name for layer in layers if layer not in ruled for name in layer.names.values()]

    def squared_norms(self, gradients: Sequence[list[Tensor]]) -> dict[str, Tensor]:
        """By parameter name, [examples] in float32, of those parameters that the logits depend on."""
        norms: dict[str, Tensor] = {}
        for index, pass_gradients in enumerate(gradients):
            for call, gradient in self._gradients_at(pass_gradients, retain_graph=index < len(gradients) - 1):
                by_parameter = call.layer.layer_norms(call.layer.module, call.inputs, gradient)
                for local_name, name in call.layer.names.items():
                    earlier = norms.get(name)
                    norms[name] = by_parameter[local_name] if earlier is None else earlier + by_parameter[local_name]
        return norms

    def summed_gradients(self, gradients: list[Tensor]) -> dict[str, Tensor]:
        """By parameter name, the gradient of all examples together: the layer's own, for what it read and got back."""
        found: dict[str, Tensor] = {}
        for call, gradient in self._gradients_at(gradients, retain_graph=False):
            module, names = call.layer.module, call.layer.names
            own = [parameter for local, parameter in module.named_parameters(recurse=False) if local in names]
            output = module.forward(call.inputs)
            for name, summed in zip(names.values(), torch.autograd.grad(output, own, gradient), strict=True):
                found[name] = summed
        return found

    def _gradients_at(self, gradients: list[Tensor], *, retain_graph: bool) -> list[tuple[Call, Tensor]]:
        """Calls that the logits depend on, and the gradient at what each of them gave."""
        calls = [self._calls[layer][0] for layer in self.ruled()]
        connected = [call for call in calls if call is not None and call.edge is not None]
        edges = [call.edge for call in connected if call.edge is not None]
        found = backward(self.logits, gradients, edges, retain_graph=retain_graph)
        return [(call, gradient) for call, gradient in zip(connected, found, strict=True) if gradient is not None]


def backward(
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


def ruled_layers(model: nn.Module, in_scope: dict[str, nn.Parameter]) -> list[RuledLayer]:
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
