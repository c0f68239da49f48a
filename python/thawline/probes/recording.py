"""What a forward pass leaves behind of layers whose per-example gradients a rule gives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from thawline.probes.layer_rules.attention import Projection, watched_projections
from thawline.probes.layer_rules.forms import Form, squared_norms
from thawline.probes.objective import Batch, batch_size
from thawline.probes.ruled_layers import Layout, RuledLayer


@dataclass(frozen=True)
class Call:
    """One use of a layer's parameters, by their full names.

    `forms` gives their gradients from that at `edge`, [examples, ...], and `again` repeats the call with the layer's
    own parameters. The edge is taken at once: an in-place operation (ReLU, the sum of a residual block) later makes the
    output tensor stand for something else, but the edge still names the layer's own output. None where the forward
    pass cuts the graph, and the gradient is zero.
    """

    parameters: Mapping[str, Tensor]
    forms: Callable[[Tensor], dict[str, Form]]
    again: Callable[[], Tensor]
    edge: GradientEdge | None


class Recording:
    """What one forward pass leaves behind: the logits, and of each ruled layer its calls."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.logits: list[Tensor] = []
        self.layouts: dict[RuledLayer, Layout] = {}
        """Of layers that seem to be called in another way than they are known to be."""
        self.failed: list[str] = []
        """Names of parameters whose rule did not hold in a backward pass after all."""
        self._examples = batch_size(batch)
        # None for a call that is not as the rule expects it.
        self._calls: dict[RuledLayer, list[Call | None]] = {}

    @contextmanager
    def watching(self, layers: Sequence[RuledLayer]) -> Iterator[None]:
        """Records the calls made within it."""
        with ExitStack() as stack:
            for layer in layers:
                calls = self._calls.setdefault(layer, [])
                if layer.rule is None:
                    assert isinstance(layer.module, nn.MultiheadAttention)
                    stack.enter_context(watched_projections(layer.module, self._projection_recorder(layer, calls)))
                else:
                    handle = layer.module.register_forward_hook(self._hook(layer, calls))
                    stack.callback(handle.remove)
            yield

    def _hook(self, layer: RuledLayer, calls: list[Call | None]) -> Callable[..., Tensor | None]:
        def record(module: nn.Module, inputs: tuple[object, ...], output: object) -> Tensor | None:
            read = inputs[0] if inputs else None
            given: Tensor | None = None
            if not isinstance(read, Tensor) or not isinstance(output, Tensor):
                calls.append(None)
                return None
            if layer.layout == "one row" and _is_row(read):
                # From here on it is one row an example, whose gradients autograd keeps apart.
                read = read.expand(self._examples, read.shape[-1])
                output = given = output.expand(self._examples, *output.shape[-2:])
            call = self._layer_call(layer, read, output)
            if call is None and layer.layout == "examples first":
                self._note_layout(layer, read)
            calls.append(call)
            return given

        return record

    def _layer_call(self, layer: RuledLayer, read: Tensor, output: Tensor) -> Call | None:
        """None for another shape than one row an example, and for two types of numbers (a forward's own autocast)."""
        module, names, rule = layer.module, layer.names, layer.rule
        assert rule is not None
        inputs, is_second = read.detach(), layer.layout == "examples second"
        if is_second and min(read.dim(), output.dim()) < 2:
            return None
        by_example = inputs.transpose(0, 1) if is_second else inputs
        types = {output.dtype, *(parameter.dtype for parameter in module.parameters(recurse=False))}
        dimensions = 1 if rule.reads_indices else 2
        if by_example.dim() < dimensions or len(types if rule.reads_indices else types | {read.dtype}) > 1:
            return None
        if not len(by_example) == output.shape[int(is_second)] == self._examples:
            return None

        def forms(gradients: Tensor) -> dict[str, Form]:
            found = rule.gradients(module, by_example, gradients.transpose(0, 1) if is_second else gradients)
            return {name: found[local] for local, name in names.items() if local in found}

        return Call(layer.parameters, forms, lambda: module.forward(inputs), _edge(output))

    def _note_layout(self, layer: RuledLayer, read: Tensor) -> None:
        """That of a call that is not one row an example."""
        if layer.reads_indices and _is_row(read) and len(read) != self._examples:
            self.layouts[layer] = "one row"
        elif read.dim() >= 2 and read.shape[1] == self._examples != len(read):
            self.layouts[layer] = "examples second"

    def _projection_recorder(self, layer: RuledLayer, calls: list[Call | None]) -> Callable[[Projection], None]:
        examples, names = self._examples, layer.names

        def record(projection: Projection) -> None:
            slices = [part for part in (projection.weight, projection.bias) if part is not None and part.name in names]

            def forms(gradients: Tensor) -> dict[str, Form]:
                found = projection.forms(gradients, examples)
                return {names[part.name]: found[part.name] for part in slices}

            called = {names[part.name]: part.parameter for part in slices}
            fits = projection.fits(examples)
            calls.append(Call(called, forms, projection.again, _edge(projection.output)) if fits else None)

        return record

    def ruled(self) -> list[str]:
        """Names of parameters all of whose uses are as their rules expect them, in the order of the layers."""
        uses: Counter[str] = Counter()
        unfit: set[str] = set()
        for layer, calls in self._calls.items():
            for call in calls:
                uses.update(layer.names.values() if call is None else call.parameters.keys())
                if call is None:
                    unfit.update(layer.names.values())
        names = {name: layer for layer in self._calls for name in layer.names.values()}
        return [name for name, layer in names.items() if name not in unfit and layer.allows(uses[name])]

    def missed(self, layers: Sequence[RuledLayer]) -> list[str]:
        """Names of all other parameters of these layers."""
        ruled = set(self.ruled())
        return [name for name in dict.fromkeys(n for one in layers for n in one.names.values()) if name not in ruled]

    def squared_norms(self, gradients: Sequence[list[Tensor]]) -> dict[str, Tensor]:
        """By parameter name, [examples], of those parameters that the logits depend on.

        Notes as `failed` those whose rule then gives nothing, or gives what does not add up.
        """
        norms: dict[str, Tensor] = {}
        failed: dict[str, None] = {}
        for index, pass_gradients in enumerate(gradients):
            forms: dict[str, list[Form]] = defaultdict(list)
            for call, gradient in self._gradients_at(pass_gradients, retain_graph=index < len(gradients) - 1):
                found = call.forms(gradient)
                failed.update(dict.fromkeys(name for name in call.parameters if name not in found))
                for name, form in found.items():
                    forms[name].append(form)
            for name, uses in forms.items():
                squared = squared_norms(uses)
                if squared is None:
                    failed[name] = None
                else:
                    norms[name] = norms[name] + squared if name in norms else squared
        ruled = self.ruled()
        self.failed = [name for name in ruled if name in failed]
        return {name: norms[name] for name in ruled if name in norms and name not in failed}

    def summed_gradients(self, gradients: list[Tensor]) -> dict[str, Tensor]:
        """By parameter name, the gradient of all examples together: the layer's own, for what it read and got back."""
        found: dict[str, Tensor] = {}
        for call, gradient in self._gradients_at(gradients, retain_graph=False):
            own = torch.autograd.grad(call.again(), list(call.parameters.values()), gradient, allow_unused=True)
            for name, summed in zip(call.parameters, own, strict=True):
                if summed is not None:
                    found[name] = found[name] + summed if name in found else summed
        return found

    def _gradients_at(self, gradients: list[Tensor], *, retain_graph: bool) -> list[tuple[Call, Tensor]]:
        """Calls that the logits depend on, and the gradient at what each of them gave."""
        ruled = set(self.ruled())
        calls = [call for calls in self._calls.values() for call in calls if call is not None]
        connected = [call for call in calls if call.edge is not None and not ruled.isdisjoint(call.parameters)]
        edges = [call.edge for call in connected if call.edge is not None]
        found = backward(self.logits, gradients, edges, retain_graph=retain_graph)
        return [(call, gradient) for call, gradient in zip(connected, found, strict=True) if gradient is not None]


def _edge(output: Tensor) -> GradientEdge | None:
    return get_gradient_edge(output) if output.requires_grad else None


def _is_row(indices: Tensor) -> bool:
    """Whether there is one row of them, with or without a dimension for the example."""
    return indices.dim() == 1 or (indices.dim() == 2 and len(indices) == 1)


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
