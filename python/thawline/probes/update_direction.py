"""The direction of the present update: what an optimizer would take off the weights, read off a step of a copy of it.

The copy steps on copies of the weights, so neither the model nor the optimizer's own state is touched.
"""

from __future__ import annotations

import copy
import inspect
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import optimizer as torch_optimizer

from thawline.errors import UserError
from thawline.probes.scope import Scope


@dataclass(frozen=True)
class UpdateRule:
    """The optimizer that makes the updates of a training.

    `has_own_rates`: its groups have the learning rates that the script gave them, whose proportions are part of an
    update. False where one rate holds for all of them, times whatever factors a controller has put on it.
    """

    optimizer: torch.optim.Optimizer
    has_own_rates: bool = True

    @property
    def name(self) -> str:
        return type(self.optimizer).__name__


@torch.no_grad()
def update_direction(rule: UpdateRule, scope: Scope, gradient: Tensor) -> Tensor:
    """What the next step would subtract from the weights in scope at learning rate 1, flat [num_parameters], float64.

    `gradient`, flat, is what the step is given, beside the optimizer's state as it is: momentum, preconditioner and
    weight decay are in the direction, while clipping and hooks of the script are not. Where groups have rates of their
    own, 1 is the largest and the others keep their proportion to it. What is in scope and frozen takes part as if it
    were released now.

    The copies are in float64 (float32 where a device has no other): a difference of weights in float32 would be mostly
    rounding where a step is small. Raises UserError for an optimizer of which no copy can step.
    """
    _require_step(rule, scope)
    copies = _copies(scope, gradient)
    held = [parameter for group in rule.optimizer.param_groups for parameter in group["params"]]
    versions = [parameter._version for parameter in held]
    try:
        twin = _twin(rule, scope, copies)
        with _without_global_hooks():
            twin.step()
    except Exception as error:
        # Whatever an optimizer of the user's own raises.
        raise _refused(rule, f"no step can be made on a copy of it ({type(error).__name__}: {error})") from error
    if [parameter._version for parameter in held] != versions:
        raise _refused(rule, "the step of a copy of it has moved the model's own weights")
    pairs = zip(scope.parameters, copies, strict=True)
    return torch.cat([(own.detach().to(moved.dtype) - moved).reshape(-1).double() for own, moved in pairs])


def _require_step(rule: UpdateRule, scope: Scope) -> None:
    groups = rule.optimizer.param_groups
    held = {id(parameter) for group in groups for parameter in group["params"]}
    missing = [name for name, parameter in zip(scope.names, scope.parameters, strict=True) if id(parameter) not in held]
    if missing:
        raise _refused(rule, f"it does not hold {missing[0]}, which another optimizer may move")
    closure = inspect.signature(type(rule.optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise _refused(rule, "its step asks for a closure, that is for losses of the training's own")
    if any(group.get("maximize") for group in groups):
        raise _refused(rule, "it maximizes, so its steps are meant to raise the loss")
    if any(not isinstance(group.get("lr"), int | float | Tensor) for group in groups):
        raise _refused(rule, "its groups have no learning rate `lr`")


def _refused(rule: UpdateRule, why: str) -> UserError:
    return UserError(
        "probe_optimizer",
        f"critical_sharpness needs the direction of an update, which {rule.name} does not show: {why}",
        "take critical_sharpness out of probe.metrics, and decide k by another intervention.signal",
    )


def _copies(scope: Scope, gradient: Tensor) -> list[nn.Parameter]:
    dtype = torch.float32 if gradient.device.type == "mps" else torch.float64
    found = []
    for parameter, offset in zip(scope.parameters, scope.offsets(), strict=True):
        moved = nn.Parameter(parameter.detach().to(dtype, copy=True))
        moved.grad = gradient[offset].view(parameter.shape).to(dtype, copy=True)
        found.append(moved)
    return found


def _twin(rule: UpdateRule, scope: Scope, copies: list[nn.Parameter]) -> torch.optim.Optimizer:
    """An optimizer of the same class and state that holds the copies and nothing else, without any hook."""
    original = rule.optimizer
    by_id = {id(parameter): moved for parameter, moved in zip(scope.parameters, copies, strict=True)}
    # Wherever it refers to a parameter in scope there is the copy; no other one is copied, nor has it a gradient here.
    memo: dict[int, Any] = {id(p): p for group in original.param_groups for p in group["params"]} | by_id
    twin: torch.optim.Optimizer = object.__new__(type(original))
    # A learning-rate scheduler puts a `step` of its own beside the class's.
    left_out = {"param_groups", "state", "step"}
    for name, value in vars(original).items():
        if name.startswith("_optimizer_") and name.endswith("_hooks"):
            setattr(twin, name, OrderedDict())
        elif name not in left_out:
            setattr(twin, name, copy.deepcopy(value, memo))
    twin.state = defaultdict(dict)
    for key, state in original.state.items():
        if not isinstance(key, Tensor) or id(key) in by_id:
            twin.state[memo.get(id(key), key)] = _widened(copy.deepcopy(state, memo), copies[0].dtype)
    twin.param_groups = [
        _group(group, rate, by_id, memo) for group, rate in zip(original.param_groups, _rates(rule), strict=True)
    ]
    return twin


def _group(group: dict[str, Any], rate: float, by_id: dict[int, nn.Parameter], memo: dict[int, Any]) -> dict[str, Any]:
    options = {name: copy.deepcopy(value, memo) for name, value in group.items() if name != "params"}
    options["params"] = [by_id[id(parameter)] for parameter in group["params"] if id(parameter) in by_id]
    options["lr"] = torch.full_like(group["lr"], rate) if isinstance(group["lr"], Tensor) else rate
    # Fused kernels give the same step but for rounding, and refuse a block that has no momentum yet beside others.
    return options | ({"fused": False} if "fused" in options else {})


def _rates(rule: UpdateRule) -> list[float]:
    """Learning rates of the groups, 1 the largest. A schedule that stands at 0 says nothing of their proportions."""
    rates = [float(group["lr"]) for group in rule.optimizer.param_groups]
    largest = max(rates)
    return [rate / largest if rule.has_own_rates and largest > 0 else 1.0 for rate in rates]


def _widened(state: Any, dtype: torch.dtype) -> Any:
    """Running averages in the precision of the copies; a count, which has no dimension, stays what it is."""
    if not isinstance(state, dict):
        return state
    return {
        name: value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() and value.dim() > 0 else value
        for name, value in state.items()
    }


@contextmanager
def _without_global_hooks() -> Iterator[None]:
    """Hooks for the steps of all optimizers are told of the training's only."""
    hooks: tuple[dict[int, Any], ...] = (
        torch_optimizer._global_optimizer_pre_hooks,
        torch_optimizer._global_optimizer_post_hooks,
    )
    kept = [dict(one) for one in hooks]
    for one in hooks:
        one.clear()
    try:
        yield
    finally:
        for one, before in zip(hooks, kept, strict=True):
            one.update(before)
