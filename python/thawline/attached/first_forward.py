"""What a model was first called with in a training, to see what its output depends on where there is no probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from thawline.probes.reach import EXAMPLES
from thawline.tensor_trees import leaves_of, tensors_of


class FirstForward:
    """Keeps some examples of the first batch that the model is called with in training mode.

    A compiled model is left alone: a hook would compile it anew. One whose parts are called by themselves is not seen.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._inputs: tuple[Any, Any] | None = None
        is_compiled = hasattr(model, "_orig_mod") or getattr(model, "_compiled_call_impl", None) is not None
        self._hook = None if is_compiled else model.register_forward_pre_hook(self._keep, with_kwargs=True)

    def take_loss(self) -> Callable[[], Tensor] | None:
        """A forward pass over what was kept, and the sum of all that comes out; None where nothing was. Asked once."""
        self.detach()
        inputs, self._inputs = self._inputs, None
        return None if inputs is None else lambda: _sum(self._model(*inputs[0], **inputs[1]))

    def detach(self) -> None:
        """Leaves the model as it was found."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _keep(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if model.training and torch.is_grad_enabled() and self._inputs is None:
            tensors = [tensor for tensor in tensors_of([args, kwargs]) if tensor.dim() > 0]
            if tensors:
                examples = len(tensors[0])
                self._inputs = (_first(args, examples), _first(kwargs, examples))


def _first(tree: Any, examples: int) -> Any:
    """The same with the first examples of each tensor that has as many."""
    if isinstance(tree, Tensor):
        return tree.detach()[:EXAMPLES].clone() if tree.dim() > 0 and len(tree) == examples else tree
    if type(tree) is dict:
        return {key: _first(part, examples) for key, part in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(_first(part, examples) for part in tree)
    return tree


def _sum(output: Any) -> Tensor:
    found = [leaf for _, leaf in leaves_of(_plain(output)) if isinstance(leaf, Tensor) and leaf.is_floating_point()]
    return torch.stack([tensor.float().sum() for tensor in found]).sum()


def _plain(output: Any) -> Any:
    """An object of fields that is no container, as some models return it, as a mapping."""
    return output if isinstance(output, Tensor | dict | list | tuple) else getattr(output, "__dict__", output)
