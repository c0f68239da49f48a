"""Whether parameters move in an update, seen without the host waiting for their device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from thawline.tensor_bits import sum_of_bits


@dataclass(frozen=True)
class Movement:
    """What one update did to parameters, by name.

    `stuck` are those that are what they were bit for bit, though their optimizer made a step at a rate, and with a
    gradient, that should have moved them.
    """

    moved: frozenset[str]
    stuck: frozenset[str]


@dataclass
class _Update:
    """What was seen as the first step of an update began: marks [parameters, 2] int64, largest size [parameters]."""

    names: list[str]
    parameters: list[nn.Parameter]
    marks: Tensor
    sizes: Tensor
    steps: dict[str, Tensor] = field(default_factory=dict)
    found_inf: Tensor | None = None


@dataclass(frozen=True)
class _Result:
    """Flags [2, parameters], moved and stuck, on their way to the host."""

    names: list[str]
    flags: Tensor
    arrival: torch.cuda.Event | None


class StepObserver:
    """Compares watched parameters before the first step of an update and after the update.

    A parameter is read whole, by the sum of its bits and its length, since a gradient may touch a few rows only, and
    fused optimizers count no versions. Nothing is expected of a step that a GradScaler skipped, of a gradient that is
    exactly zero, of the rate 0, and of one so small that rounding swallows it.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._watched: dict[str, nn.Parameter] = {}
        self._update: _Update | None = None
        self._results: list[_Result] = []
        self._hook: Any = None

    def watch(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """From the next update on these, and no others; with none of them the optimizer is as it was found."""
        # What PyTorch's `meta` device holds has no values.
        self._watched = {name: p for name, p in parameters.items() if p.numel() > 0 and not p.is_meta}
        if self._watched and self._hook is None:
            self._hook = self._optimizer.register_step_pre_hook(lambda *_: self._begin_step())
        elif not self._watched and self._hook is not None:
            self._hook.remove()
            self._hook = self._update = None

    @torch.no_grad()
    def end_update(self) -> None:
        """After an update: what has moved since its first step is on its way to the host."""
        update, self._update = self._update, None
        if update is None:
            return
        self._note_steps(update)  # A closure makes gradients within the step.
        device = update.marks.device
        moved = (_marks(update.parameters) != update.marks).any(dim=1)
        none = torch.zeros((), device=device)
        steps = torch.stack([update.steps.get(name, none) for name in update.names])
        expected = steps > update.sizes
        if update.found_inf is not None:
            expected &= update.found_inf.to(device) == 0
        self._results.append(_sent(update.names, torch.stack([moved, expected & ~moved])))

    def movements(self, *, wait: bool) -> Iterable[Movement]:
        """What has arrived since the call before, in order; `wait` for what is still on its way."""
        while self._results and (wait or _is_there(self._results[0])):
            result = self._results.pop(0)
            if result.arrival is not None:
                result.arrival.synchronize()
            moved, stuck = result.flags.tolist()
            yield Movement(_chosen(result.names, moved), _chosen(result.names, stuck))

    @torch.no_grad()
    def _begin_step(self) -> None:
        if self._update is None:
            names, parameters = list(self._watched), list(self._watched.values())
            self._update = _Update(names, parameters, _marks(parameters), _rounding(parameters))
        self._note_steps(self._update)
        # A GradScaler calls the step of a fused optimizer in any case, and tells it here whether to do nothing.
        self._update.found_inf = getattr(self._optimizer, "found_inf", None)

    def _note_steps(self, update: _Update) -> None:
        """How far the optimizer would move each parameter at most that has a gradient by now, roughly."""
        groups = {id(parameter): group for group in self._optimizer.param_groups for parameter in group["params"]}
        for name, parameter in zip(update.names, update.parameters, strict=True):
            if name not in update.steps and parameter.grad is not None:
                step = _step(parameter.grad, groups.get(id(parameter)))
                update.steps[name] = step.to(update.marks.device, non_blocking=True)


def _step(gradient: Tensor, group: Mapping[str, Any] | None) -> Tensor:
    """Rate times gradient, largest element; times g / (|g| + eps) for optimizers that divide by the gradient's size."""
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    if values.numel() == 0:
        return torch.zeros((), device=gradient.device)
    largest: Tensor = torch.linalg.vector_norm(values, ord=torch.inf).float()
    if group is None:
        return torch.mul(largest.sign(), torch.inf)  # In no group: it will never move.
    eps = group.get("eps")
    return torch.mul(largest / (largest + eps) if isinstance(eps, float) else largest, group["lr"])


def _marks(parameters: list[nn.Parameter]) -> Tensor:
    """Sum of bits and length of each, int64 [parameters, 2]: swapped values leave the one, small changes the other."""
    device = parameters[0].device
    bits = [sum_of_bits(parameter.detach()).to(device, non_blocking=True) for parameter in parameters]
    lengths = [_length(parameter.detach()).to(device, non_blocking=True) for parameter in parameters]
    return torch.stack([torch.stack(bits), torch.stack(lengths)], dim=1)


def _length(values: Tensor) -> Tensor:
    """The Euclidean norm; its bits as int64 []."""
    real = torch.view_as_real(values) if values.is_complex() else values
    wide = torch.float32 if real.device.type == "mps" else torch.float64
    length: Tensor = torch.linalg.vector_norm(real, dtype=wide)
    return length.view(torch.int64 if wide == torch.float64 else torch.int32).long()


def _rounding(parameters: list[nn.Parameter]) -> Tensor:
    """What the largest element of each can be changed by at least, [parameters]."""
    device = parameters[0].device
    found = []
    for parameter in parameters:
        size = torch.linalg.vector_norm(parameter.detach(), ord=torch.inf).float()
        found.append((size * torch.finfo(parameter.dtype).eps).to(device, non_blocking=True))
    return torch.stack(found)


def _sent(names: list[str], flags: Tensor) -> _Result:
    if flags.device.type != "cuda":
        return _Result(names, flags, None)
    arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
    on_host = torch.empty(flags.shape, dtype=flags.dtype, pin_memory=True)
    on_host.copy_(flags, non_blocking=True)
    arrival.record()
    return _Result(names, on_host, arrival)


def _is_there(result: _Result) -> bool:
    return result.arrival is None or bool(result.arrival.query())  # type: ignore[no-untyped-call]


def _chosen(names: list[str], flags: list[bool]) -> frozenset[str]:
    return frozenset(name for name, flag in zip(names, flags, strict=True) if flag)
