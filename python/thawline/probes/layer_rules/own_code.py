"""The rule of small layers whose class nobody knows: autograd of the layer alone, of each example.

For the many copies of RMSNorm (LlamaRMSNorm, T5LayerNorm), learned scales and the like: they are known by owning
vectors only. `vmap` runs the layer's own forward and its gradient for all examples at once.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from thawline.probes.layer_rules.forms import Form, Vectors


def owns_vectors_only(module: nn.Module) -> bool:
    """A layer without layers, with a forward of its own, all of whose parameters have one dimension or none.

    A BatchNorm without statistics of its own mixes examples, and alone an example is not what it is among others.
    """
    parameters = list(module.parameters(recurse=False))
    return (
        len(parameters) > 0
        and all(parameter.dim() <= 1 for parameter in parameters)
        and next(module.children(), None) is None
        and type(module).forward is not nn.Module.forward
        and not (isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None)
    )


class _Bare(nn.Module):
    """The layer without its hooks."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.layer.forward(inputs)
        return found


def gradients_by_own_code(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """inputs and gradients [examples, ...]; the layer sees each example as a batch of one.

    Holds what its forward and backward pass hold of all examples, and the gradients [examples, numel]: only of
    parameters that are no larger than an example's input. None of it for code that `vmap` cannot run, or that reads
    something else in place of a parameter (what a hook has made of it, as pruning does).
    """
    bare = _Bare(module)
    parameters = {name: parameter.detach() for name, parameter in bare.named_parameters()}
    if max(parameter.numel() for parameter in parameters.values()) > inputs[0].numel():
        return {}

    def of_example(inputs: Tensor, gradients: Tensor) -> dict[str, Tensor]:
        pull_back = vjp(lambda changed: functional_call(bare, changed, (inputs.unsqueeze(0),)), parameters)[1]
        found: dict[str, Tensor] = pull_back(gradients.unsqueeze(0))[0]
        return found

    try:
        with warnings.catch_warnings(), torch.no_grad():
            # Of operations that vmap runs one by one.
            warnings.simplefilter("ignore")
            if not _reads_all(bare, parameters, inputs[:1], gradients[:1]):
                return {}
            found = vmap(of_example)(inputs, gradients)
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError):
        return {}
    return {name.removeprefix("layer."): Vectors(values.reshape(len(inputs), -1)) for name, values in found.items()}


@torch.enable_grad()
def _reads_all(bare: nn.Module, parameters: dict[str, Tensor], inputs: Tensor, gradients: Tensor) -> bool:
    """Whether the layer's output depends on each of these: else its gradient would be taken for zero."""
    leaves = {name: parameter.clone().requires_grad_() for name, parameter in parameters.items()}
    output = functional_call(bare, leaves, (inputs,))
    found = torch.autograd.grad(output, list(leaves.values()), gradients, allow_unused=True)
    return all(gradient is not None for gradient in found)
