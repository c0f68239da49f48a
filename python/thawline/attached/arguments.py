"""The arguments of `attach`, checked before anything is changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.probes import ClassificationObjective, MultiLabelObjective, Objective
from thawline.probes.objective import Batch
from thawline.steering.blocks import BlockMap, blocks_from_patterns
from thawline.tensor_trees import leaves_of, map_tensors, tensors_of


@dataclass(frozen=True)
class Probe:
    """The fixed, un-augmented batches on which signals are measured, on the model's device, and what they mean.

    For a classifier that ends in the linear layer `fc`, `objective=ClassificationObjective(head_name="fc")` makes the
    signals nearly free while only the head is trainable. Other tasks bring an `Objective` of their own.
    """

    batches: Sequence[Batch]
    objective: Objective = field(default_factory=ClassificationObjective)

    def on(self, device: torch.device) -> Probe:
        """The same probe with its batches on `device`."""
        return replace(self, batches=[map_tensors(lambda tensor: tensor.to(device), batch) for batch in self.batches])


# What to do about an argument that is not what it must be.
_HINTS = {
    "model": "give the model that the loop trains",
    "optimizer": "give the optimizer whose `step` the loop calls, not its class and not its scheduler",
    "blocks": 'write it like blocks=[("layer4", r"^layer4\\."), ("layer3", r"^layer3\\.")], top first',
    "head": 'write it like head=r"^fc\\.", or leave it out: then it is what is in no block',
    "probe": "write it like thawline.Probe([batch, ...], objective), with batches of tensors on the model's device",
    "num_updates": "give the number of calls of `optimizer.step()`, or leave it out where only the loop knows its end",
    "resumed_from": "give the number of updates that the checkpoint had, or leave it out in a training from the start",
    "loss": "give the loss as the tensor that `backward` was called on, or None",
    "num_samples": "give the number of examples of the update, or leave it out",
}


@dataclass(frozen=True)
class Training:
    """A user's training as `attach` was told of it; `optimizer` is the one that makes the steps, without a wrapper."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    block_map: BlockMap
    probe: Probe | None
    num_updates: int | None
    resumed_from: int


def check_arguments(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    blocks: Sequence[tuple[str, str]],
    head: str | None,
    probe: Probe | None,
    num_updates: int | None,
    resumed_from: int,
) -> Training:
    """The training that the arguments of `attach` describe; nothing of it is changed.

    Raises UserError `invalid_argument` or `invalid_blocks` that names the argument, what was expected and what was got.
    """
    optimizer = _unwrapped(optimizer)
    _expect(isinstance(model, nn.Module), "model", "a torch.nn.Module", model)
    _expect(isinstance(optimizer, torch.optim.Optimizer), "optimizer", "a torch.optim.Optimizer", optimizer)
    _check_blocks(blocks, head)
    _expect(probe is None or isinstance(probe, Probe), "probe", "a thawline.Probe or None", probe)
    _expect(num_updates is None or _is_count(num_updates, 1), "num_updates", "an integer above 0 or None", num_updates)
    most = "" if num_updates is None else f" to num_updates ({num_updates})"
    is_step = _is_count(resumed_from, 0) and (num_updates is None or resumed_from <= num_updates)
    _expect(is_step, "resumed_from", f"a number of completed updates, 0{most or ' or more'}", resumed_from)
    block_map = _block_map(model, blocks, head)
    _check_optimizer(model, optimizer, block_map)
    if probe is not None:
        _check_probe(model, probe)
    return Training(model, optimizer, block_map, probe, num_updates, resumed_from)


def block_map_of(model: nn.Module, blocks: Sequence[tuple[str, str]], head: str | None) -> BlockMap:
    """The model in the blocks that the arguments of `attach` describe. Raises UserError as `check_arguments` does."""
    _expect(isinstance(model, nn.Module), "model", "a torch.nn.Module", model)
    _check_blocks(blocks, head)
    return _block_map(model, blocks, head)


def _check_blocks(blocks: Sequence[tuple[str, str]], head: str | None) -> None:
    _expect(_are_pairs(blocks), "blocks", "a list of (name, regular expression) pairs of strings", blocks)
    for name, expression in blocks:
        _expect(_is_expression(expression), "blocks", f"a list with a regular expression for {name!r}", expression)
    _expect(head is None or _is_expression(head), "head", "a regular expression or None", head)


def _block_map(model: nn.Module, blocks: Sequence[tuple[str, str]], head: str | None) -> BlockMap:
    among = _parameters_that_train(
        model, [*(expression for _, expression in blocks), *([] if head is None else [head])]
    )
    return blocks_from_patterns(model, blocks, _rest(among, blocks) if head is None else head, among)


def check_update(loss: object, num_samples: object) -> None:
    """Checks the arguments of `run.after_update` without reading a value of the device. Raises UserError."""
    is_scalar = isinstance(loss, Tensor) and loss.numel() == 1
    _expect(loss is None or is_scalar, "loss", "a scalar tensor or None", loss, of="run.after_update")
    _expect(_is_count(num_samples, 0), "num_samples", "an integer, 0 or more", num_samples, of="run.after_update")


def _expect(holds: bool, argument: str, expected: str, got: object, *, of: str = "attach") -> None:
    if holds:
        return
    shown = repr(got)
    shown = shown if len(shown) <= 80 else f"{shown[:80]}..."
    raise UserError("invalid_argument", f"{of}: `{argument}` must be {expected}, got {shown}", _HINTS[argument])


def _unwrapped(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Accelerate's `prepare` puts an optimizer into one that takes no hooks and may skip steps of its own accord."""
    inner = getattr(optimizer, "optimizer", None)
    return inner if isinstance(inner, torch.optim.Optimizer) else optimizer


def _check_probe(model: nn.Module, probe: Probe) -> None:
    def expect(holds: bool, that: str, got: object) -> None:
        _expect(holds, "probe", f"a thawline.Probe with {that}", got)

    batches, objective = probe.batches, probe.objective
    # Every boundary passes through the same batches again: an iterator would be empty, a loader could shuffle.
    expect(isinstance(batches, Sequence) and len(batches) > 0, "a list of at least one batch", batches)
    device = next(model.parameters()).device
    for batch in batches:
        expect(all(isinstance(leaf, Tensor) for _, leaf in leaves_of(batch)), "batches of tensors", batch)
        elsewhere = {str(tensor.device) for tensor in tensors_of(batch)} - {str(device)}
        expect(not elsewhere, f"batches on {device}, as the model is", ", ".join(elsewhere))
    expect(isinstance(objective, Objective), "an objective that has `logits` and `loss`", objective)
    if isinstance(objective, ClassificationObjective | MultiLabelObjective):
        layers = dict(model.named_modules())
        for argument in ("head_name", "first_layer_name"):
            name = getattr(objective, argument, None)
            that = f"an objective whose `{argument}` is that of a linear layer of the model"
            expect(name is None or isinstance(layers.get(name), nn.Linear), that, name)


def _are_pairs(blocks: object) -> bool:
    return isinstance(blocks, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
        for pair in blocks
    )


def _is_expression(text: object) -> bool:
    try:
        return isinstance(text, str) and re.compile(text) is not None
    except re.error:
        return False


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _parameters_that_train(model: nn.Module, expressions: Sequence[str]) -> list[str]:
    """Names of what trains sooner or later: a parameter that is frozen already, and that nobody names, stays frozen."""
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad or any(re.search(expression, name) for expression in expressions)
    ]


def _rest(names: Sequence[str], blocks: Sequence[tuple[str, str]]) -> str:
    """An expression for those that are in no block."""
    rest = [name for name in names if not any(re.search(expression, name) for _, expression in blocks)]
    _expect(len(rest) > 0, "head", "a regular expression where the blocks leave no trainable parameter", None)
    return rf"^({'|'.join(map(re.escape, rest))})\Z"


def _check_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer, block_map: BlockMap) -> None:
    among = {name for block in (block_map.head, *block_map.blocks) for name in block.parameter_names}
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [name for name, parameter in model.named_parameters() if name in among and id(parameter) not in held]
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise UserError(
            "invalid_argument",
            f"attach: `optimizer` must hold every parameter of the blocks and the head, it lacks {shown}",
            "make the optimizer with all parameters, before any of them is frozen; what is frozen stays as it is",
        )
