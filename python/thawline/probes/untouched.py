"""A model that is as it was: what a forward pass changes besides its output is put back, and named."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.probes.fingerprint import fingerprint
from thawline.probes.scope import Scope

# What a module may count or remember in an attribute of its own.
_PLAIN = (bool, int, float, complex, str, bytes, tuple, type(None))


@contextmanager
def untouched(model: nn.Module, scope: Scope, *, silent: bool = False) -> Iterator[None]:
    """Random generators, buffers and plain attributes are as before on leaving, and no hook of a parameter is called.

    One warning names the layers whose forward changes them in evaluation mode too (an observer, a counter, a queue) or
    that draw random numbers. Weights that `max_norm` of an embedding scales in passing are put back as well. Raises
    UserError `model_changes_itself` where a forward pass writes to other weights, which nobody has kept. `silent`: no
    warning, for a pass in training mode, whose random numbers and statistics are nothing to be said.
    """
    with ExitStack() as stack:
        if silent:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        stack.enter_context(_same_generators(model))
        stack.enter_context(_same_state(model))
        stack.enter_context(_same_weights(model, scope))
        stack.enter_context(_without_parameter_hooks(scope))
        yield


@contextmanager
def _same_generators(model: nn.Module) -> Iterator[None]:
    own = [value for module in model.modules() for value in vars(module).values() if isinstance(value, torch.Generator)]
    devices = sorted({parameter.device.index or 0 for parameter in model.parameters() if parameter.is_cuda})
    generators = [torch.default_generator, *own, *(torch.cuda.default_generators[index] for index in devices)]
    before = [generator.get_state() for generator in generators]
    python, numbers = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        drawn = any(
            not torch.equal(generator.get_state(), state) for generator, state in zip(generators, before, strict=True)
        )
        for generator, state in zip(generators, before, strict=True):
            generator.set_state(state)
        random.setstate(python)
        np.random.set_state(numbers)
        if drawn:
            warnings.warn(
                "the model draws random numbers in evaluation mode, as F.dropout does without "
                "`training=self.training`: its signals are noisier than their errors say (the training's random state "
                "is put back)",
                stacklevel=2,
            )


@dataclass(frozen=True)
class _Kept:
    """A tensor of a module, where it belongs, and what it was."""

    owner: dict[str, object]
    name: str
    full_name: str
    tensor: Tensor
    copy: Tensor

    def put_back(self, written: bool) -> bool:
        """Whether it was another tensor, or written to."""
        replaced = self.owner.get(self.name) is not self.tensor
        if replaced:
            self.owner[self.name] = self.tensor
        if written:
            with torch.no_grad():
                self.tensor.resize_(self.copy.shape).copy_(self.copy)
        return replaced or written


@contextmanager
def _same_state(model: nn.Module) -> Iterator[None]:
    """Buffers, tensors that are plain attributes, and plain values."""
    kept: list[_Kept] = []
    plain: list[tuple[str, nn.Module, dict[str, object]]] = []
    for path, module in model.named_modules():
        prefix = f"{path}." if path else ""
        attributes = vars(module)
        for owner in (attributes["_buffers"], attributes):
            for name, value in owner.items():
                if isinstance(value, Tensor) and _is_state(module, name, value):
                    kept.append(_Kept(owner, name, prefix + name, value, value.detach().clone()))
        values = {name: value for name, value in attributes.items() if type(value) in _PLAIN and name != "training"}
        plain.append((prefix, module, values))
    before = _bits([item.tensor for item in kept])
    try:
        yield
    finally:
        after = _bits([item.tensor for item in kept])
        pairs = zip(kept, before, after, strict=True)
        changed = [item.full_name for item, was, now in pairs if item.put_back(was != now)]
        for prefix, module, values in plain:
            attributes = vars(module)
            for name, value in values.items():
                if attributes.get(name, value) is not value and attributes[name] != value:
                    attributes[name] = value
                    changed.append(prefix + name)
        if changed:
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            warnings.warn(
                f"the model's forward pass changes {', '.join(changed[:3])}{more} in evaluation mode too; measuring "
                "puts them back",
                stacklevel=2,
            )


def _is_state(module: nn.Module, name: str, tensor: Tensor) -> bool:
    """Not what a hook makes of other parameters before each forward: weight normalization, pruning."""
    is_derived = any(f"{name}{suffix}" in module._parameters for suffix in ("_orig", "_g"))
    has_numbers = tensor.layout is torch.strided and not tensor.is_meta
    return has_numbers and not tensor.is_inference() and not is_derived


def _bits(tensors: list[Tensor]) -> list[tuple[object, ...]]:
    """Of each tensor what differs once it is written to. Not its version: kernels of observers write without it."""
    found: dict[int, tuple[object, ...]] = {}
    for device in {tensor.device for tensor in tensors}:
        there = [(index, tensor) for index, tensor in enumerate(tensors) if tensor.device == device]
        marks = fingerprint(tensor.detach() for _, tensor in there)
        found |= {index: (tensor.shape, mark[2]) for (index, tensor), mark in zip(there, marks, strict=True)}
    return [found[index] for index in range(len(tensors))]


@contextmanager
def _same_weights(model: nn.Module, scope: Scope) -> Iterator[None]:
    scaled = [
        module.weight
        for module in model.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.max_norm is not None
    ]
    copies = [weight.detach().clone() for weight in scaled]
    # Those in scope are moved, and put back, by the probes themselves.
    spared = {id(parameter) for parameter in (*scope.parameters, *scaled)}
    versions = [(name, p, p._version) for name, p in model.named_parameters() if id(p) not in spared]
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, copy in zip(scaled, copies, strict=True):
                weight.copy_(copy)
    written = [name for name, parameter, version in versions if parameter._version != version]
    if written:
        raise UserError(
            "model_changes_itself",
            f"a forward pass in evaluation mode writes to the weights {written[0]}: a measurement would change them",
            "make the layer leave its weights alone in evaluation mode, or keep what it changes in a buffer",
        )


@contextmanager
def _without_parameter_hooks(scope: Scope) -> Iterator[None]:
    """A tool that watches gradients by hooks (`wandb.watch`) is told of the training's only.

    Nor is an optimizer that steps in the backward pass, by a hook behind each gradient.
    """
    watching = [(parameter, parameter._backward_hooks) for parameter in scope.parameters if parameter._backward_hooks]
    stepping = [p._post_accumulate_grad_hooks for p in scope.parameters if p._post_accumulate_grad_hooks]
    # Autograd holds the latter by their dictionary.
    kept = [dict(hooks) for hooks in stepping]
    for parameter, _ in watching:
        parameter._backward_hooks = None
    for hooks in stepping:
        hooks.clear()
    try:
        yield
    finally:
        for parameter, own in watching:
            parameter._backward_hooks = own
        for hooks, own in zip(stepping, kept, strict=True):
            hooks.update(own)
