"""Which parameters a probe measures, and the state in which the model is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.eval_mode import eval_mode
from thawline.probes.full_precision import full_float32
from thawline.probes.recurrent import differentiable_rnns

ScopeKind = Literal["trainable", "all", "blocks"]


@dataclass(frozen=True)
class Scope:
    """The named parameters of one measurement, in the model's own order. Buffers are never in scope."""

    names: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...]

    @cached_property
    def num_parameters(self) -> int:
        """Number of scalars in scope: the divisor of tr(F)."""
        return sum(parameter.numel() for parameter in self.parameters)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the sorted names: two measurements are comparable only when it is equal."""
        return hashlib.sha256("\n".join(sorted(self.names)).encode()).hexdigest()

    def offsets(self) -> list[slice]:
        """Where each parameter lies in one flat vector [num_parameters]."""
        stops = torch.tensor([parameter.numel() for parameter in self.parameters]).cumsum(0).tolist()
        return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]


def resolve_scope(model: nn.Module, kind: ScopeKind, all_names: Sequence[str] = ()) -> Scope:
    """The parameters in scope now: those with requires_grad (`trainable`, `blocks`), or of blocks and head (`all`).

    `all_names` lists everything the schedule will ever train. Raises UserError for a name that the model lacks and for
    an empty scope.
    """
    named = dict(model.named_parameters())
    unknown = [name for name in all_names if name not in named]
    if unknown:
        raise UserError(
            "probe_scope",
            f"probe.scope names the parameter {unknown[0]!r}, which the model does not have",
            "list names as model.named_parameters() gives them",
        )
    wanted = set(all_names)
    chosen = {
        name: parameter
        for name, parameter in named.items()
        if (name in wanted if kind == "all" else parameter.requires_grad)
    }
    if not chosen:
        raise UserError(
            "probe_scope",
            f"probe.scope is {kind!r}, but no parameter is in scope",
            "unfreeze the head before probing, or name the parameters of blocks and head",
        )
    return Scope(tuple(chosen), tuple(chosen.values()))


def parts_of(scope: Scope, blocks: Mapping[str, Sequence[str]]) -> dict[str, Scope]:
    """By block, what of the block's parameters is in scope; a block of which nothing is has no part."""
    parts = {}
    for block, names in blocks.items():
        own = set(names)
        chosen = [pair for pair in zip(scope.names, scope.parameters, strict=True) if pair[0] in own]
        if chosen:
            parts[block] = Scope(tuple(name for name, _ in chosen), tuple(parameter for _, parameter in chosen))
    return parts


def dense(gradient: Tensor) -> Tensor:
    """A gradient as it is, or with its zeros where an embedding left them out (`sparse=True`)."""
    return gradient.to_dense() if gradient.is_sparse else gradient


def flat(gradient: Tensor) -> Tensor:
    """A parameter's gradient as it lies in a vector over the scope, [numel]."""
    return dense(gradient).reshape(-1)


@contextmanager
def measuring(model: nn.Module, scope: Scope) -> Iterator[None]:
    """Evaluation mode, gradients for the parameters in scope and for no others; all of it undone on leaving.

    Autocast is off, because inside one autocast region a weight
    changed in place is read from its stale cached cast, and so is TF32. Nothing here or in the probes writes `.grad`.
    """
    requires_grad = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    device_type = scope.parameters[0].device.type
    in_scope = {id(parameter) for parameter in scope.parameters}
    try:
        for parameter, _ in requires_grad:
            parameter.requires_grad_(id(parameter) in in_scope)
        with (
            eval_mode(model),
            differentiable_rnns(model, device_type),
            torch.enable_grad(),
            torch.autocast(device_type, enabled=False),
            full_float32(),
        ):
            yield
    finally:
        for parameter, flag in requires_grad:
            parameter.requires_grad_(flag)


class PerturbedWeights:
    """Moves the parameters in scope to clean + perturbation, in place; leaving the context restores them bit for bit.

    Restoring copies the clean values: subtracting the perturbation again would leave rounding errors behind.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._offsets = scope.offsets()
        self._clean = [parameter.detach().clone() for parameter in scope.parameters]

    @torch.no_grad()
    def move_to(self, perturbation: Tensor) -> None:
        """Sets the weights to clean + perturbation, a flat vector [num_parameters]."""
        for parameter, clean, offset in zip(self.scope.parameters, self._clean, self._offsets, strict=True):
            torch.add(clean, perturbation[offset].view(clean.shape), out=parameter)

    def __enter__(self) -> PerturbedWeights:
        return self

    @torch.no_grad()
    def __exit__(self, *exception: object) -> None:
        for parameter, clean in zip(self.scope.parameters, self._clean, strict=True):
            parameter.copy_(clean)
