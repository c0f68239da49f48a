"""What a probe set and an objective must be like for the signals to mean anything, looked at before a run begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from thawline.errors import UserError
from thawline.eval_mode import eval_mode
from thawline.probes.objective import (
    Batch,
    LabelledObjective,
    Objective,
    PositionedObjective,
    batch_size,
    slice_batch,
)
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope
from thawline.probes.untouched import untouched
from thawline.tensor_trees import tensors_of

# Of losses of about 1: rounding makes less of a difference than that, other examples in the batch make more.
TOLERANCE = 1e-2
TOLERANCE_BELOW_FLOAT32 = 0.2


def require_meaning(model: nn.Module, objective: Objective, probe_set: ProbeSet) -> None:
    """Passes two examples through the model, together and the first one alone; the model is as it was.

    Raises UserError: `probe_dtype` (numbers of a type that the model does not take), `probe_batch_norm` (statistics of
    whatever batch comes), `probe_loss` (not one number an example, or one that other examples change), and what
    `require_softmax` raises, where the loss is made of logits and labels.
    """
    _require_running_statistics(model)
    first = slice_batch(probe_set.batches[0], 0, 2)
    if isinstance(objective, LabelledObjective):
        require_softmax(model, objective, probe_set)
    with _looking_at(model):
        _require_own_losses(model, objective, first)


def _require_running_statistics(model: nn.Module) -> None:
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and module.running_mean is None:
            raise UserError(
                "probe_batch_norm",
                f"the probe: the BatchNorm layer {name!r} has no running statistics (`track_running_stats=False`), so "
                "that in evaluation mode too every example's loss depends on the others in its batch",
                "let it have them (`track_running_stats=True`, then some passes in training mode), or take a "
                "normalization of each example by itself, such as GroupNorm",
            )


def require_softmax(model: nn.Module, objective: Objective, probe_set: ProbeSet) -> None:
    """Looks at what tr(F) is made of, on two examples and on one.

    Raises UserError: `probe_logits` (no softmax of at least two classes an example, or a batch dimension that is lost),
    `probe_labels` (labels that are no class each).
    """
    first = slice_batch(probe_set.batches[0], 0, 2)
    with _looking_at(model):
        logits = _logits(model, objective, first)
        _logits(model, objective, slice_batch(first, 0, 1))
        if isinstance(objective, LabelledObjective):
            for batch in probe_set.batches:
                if isinstance(objective, PositionedObjective):
                    _require_classes_where_counted(objective.labels(batch), objective.counted(batch), logits)
                else:
                    _require_classes(objective.labels(batch), logits, batch_size(batch))


@contextmanager
def _looking_at(model: nn.Module) -> Iterator[None]:
    with torch.no_grad(), eval_mode(model), untouched(model, Scope((), ())):
        yield


def _logits(model: nn.Module, objective: Objective, batch: Batch) -> list[Tensor]:
    try:
        logits = objective.logits(model, batch)
    except (RuntimeError, ValueError) as error:
        _require_same_numbers(model, batch, error)
        raise
    if isinstance(objective, PositionedObjective):
        _require_softmax_a_position(logits, objective.counted(batch))
    else:
        for out in logits:
            _require_softmax_an_example(out, batch_size(batch))
    return logits


def _require_softmax_an_example(out: Tensor, examples: int) -> None:
    shape = list(out.shape)
    if out.dim() == 3:
        raise _refusal(
            "logits",
            f"the logits are {shape}, and one softmax an example is expected, [examples, classes]",
            "for a language model take `CausalLanguageModelObjective`; for another label at each position an "
            "objective of your own with `counted` (`PositionedObjective`), or one tensor for each position",
        )
    if out.dim() != 2 or len(out) != examples:
        hint = (
            "for one logit an example take `BinaryObjective`"
            if shape == [examples] and examples > 1
            else "a forward that squeezes loses the batch dimension of a single example: use `flatten(1)`, or name the "
            "dimension, as in `squeeze(-1)`"
        )
        raise _refusal("logits", f"the logits of a batch of {examples} are {shape}, not [{examples}, classes]", hint)
    if out.shape[1] < 2:
        raise _refusal(
            "logits",
            f"the logits are {shape}, of one class, which leaves nothing uncertain: tr(F) would be 0 for ever",
            "for a label of two values take `BinaryObjective` (for a model of transformers "
            "`MultiLabelSequenceClassificationObjective`); a regression has no distribution over labels to measure",
        )


def _require_softmax_a_position(logits: list[Tensor], counted: Tensor) -> None:
    shapes, expected = [list(out.shape) for out in logits], list(counted.shape)
    if len(logits) != 1 or shapes[0][:-1] != expected or shapes[0][-1] < 2:
        examples, positions = [*expected, "?", "?"][:2]
        raise _refusal(
            "logits",
            f"the logits are {' and '.join(map(str, shapes))}, and the labels ask for [{examples}, {positions}, "
            "classes]",
            "there must be logits for each position of the labels and no others: a forward that squeezes loses "
            "dimensions, adapters that put tokens before a text add positions",
        )


def _require_same_numbers(model: nn.Module, batch: Batch, error: Exception) -> None:
    """Raises UserError `probe_dtype` where `error` is what PyTorch says of two types of numbers that meet."""
    given = {tensor.dtype for tensor in tensors_of(batch) if tensor.is_floating_point()}
    taken = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
    if given and given | taken != given & taken and _TYPES.search(str(error)):
        raise UserError(
            "probe_dtype",
            f"the probe's batches are {_names(given)}, and the model's weights {_names(taken)}: {error}",
            "give batches of the type that the model's first layer takes; the probes measure without autocast, which "
            "converts them in a training",
        ) from error


# How PyTorch names what does not fit: "mat1 and mat2 must have the same dtype, but got Float and BFloat16".
_TYPES = re.compile(r"dtype|float|double|half", re.IGNORECASE)


def _names(types: set[torch.dtype]) -> str:
    return ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in types))


def _require_classes(labels: list[Tensor], logits: list[Tensor], examples: int) -> None:
    for given, out in zip(labels, logits, strict=True):
        shape, classes = list(given.shape), out.shape[1]
        if given.is_floating_point():
            raise _refusal(
                "labels",
                f"the labels are {str(given.dtype).removeprefix('torch.')} {shape}, soft ones or several an example",
                "give one class an example, int64 [examples]; for labels that do not exclude each other take "
                "`MultiLabelObjective` (for a model of transformers `MultiLabelSequenceClassificationObjective`)",
            )
        if shape != [examples]:
            raise _refusal(
                "labels", f"the labels are {shape}, not [{examples}]", "give one class an example, as in `labels[:, 0]`"
            )
        least, most = int(given.min()), int(given.max())
        if least < 0 or (most >= classes and len(logits) == 1):
            raise _refusal(
                "labels",
                f"there is a label {least if least < 0 else most}, and the classes are 0 to {classes - 1}",
                "leave examples without a class out of the probe set",
            )


def _require_classes_where_counted(labels: list[Tensor], counted: Tensor, logits: list[Tensor]) -> None:
    (given,), classes = labels, logits[0].shape[-1]
    shape, expected = list(given.shape), list(counted.shape)
    if shape != expected or given.is_floating_point():
        kind = str(given.dtype).removeprefix("torch.")
        raise _refusal("labels", f"the labels are {kind} {shape}, not {expected}", "give one class a position, int64")
    present = given[counted]
    unfit = present[(present < 0) | (present >= classes)]
    if len(unfit) > 0:
        raise _refusal(
            "labels",
            f"there is a label {int(unfit[0])}, and the classes are 0 to {classes - 1}",
            "let positions without a class not count",
        )


def _require_own_losses(model: nn.Module, objective: Objective, pair: Batch) -> None:
    examples, alone = batch_size(pair), slice_batch(pair, 0, 1)
    try:
        losses, single, again = (objective.loss(model, batch) for batch in (pair, alone, alone))
    except (RuntimeError, ValueError) as error:
        _require_same_numbers(model, pair, error)
        raise
    if losses.shape != (examples,):
        raise _refusal(
            "loss",
            f"the loss of {examples} examples is {list(losses.shape)}, not [{examples}]",
            "return one number an example, as `reduction='none'` gives them",
        )
    if not torch.equal(single, again):
        return  # The model draws random numbers; how much others count cannot be told.
    coarse = any(parameter.itemsize < 4 for parameter in model.parameters() if parameter.is_floating_point())
    tolerance = TOLERANCE_BELOW_FLOAT32 if coarse else TOLERANCE
    if not torch.allclose(losses[:1].double(), single.double(), rtol=tolerance, atol=tolerance, equal_nan=True):
        raise _refusal(
            "loss",
            f"an example's loss is {single.item():.4g} alone and {losses[0].item():.4g} beside another one",
            "examples must not influence each other, as they do in a contrastive loss: measure another loss, in an "
            "objective of your own",
        )


def _refusal(what: str, message: str, hint: str) -> UserError:
    return UserError(f"probe_{what}", f"the probe: {message}", hint)
