"""Which parameters the loss reaches: tried before a run begins, by forward and backward passes that leave no trace."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.eval_mode import eval_mode
from thawline.probes.fingerprint import num_bytes
from thawline.probes.objective import Batch, Objective, batch_size, slice_batch
from thawline.probes.recurrent import differentiable_rnns
from thawline.probes.scope import Scope
from thawline.probes.untouched import untouched
from thawline.tensor_bits import sum_of_bits

# Enough for routed layers to be reached, and hardly more than what a training passes at a time.
EXAMPLES = 8
# A training leaves layers out at random (stochastic depth): one that is never reached stays so.
TRIES = 3
# Of a model's weights, for copies on the host.
MOST_BYTES = 16 * 2**30

_HINT = (
    "take `torch.no_grad` and `detach` away from what the blocks are made of, give checkpoint `use_reentrant=False`, "
    "and compile the model after the release or not at all"
)


@dataclass(frozen=True)
class Reach:
    """What a loss does not reach, by block and in their order: with everything trainable, and of each block alone.

    `blocks_lost` are blocks of which it reaches nothing even with everything trainable.
    """

    lost: dict[str, list[str]]
    lost_alone: dict[str, list[str]]
    blocks_lost: list[str]

    @property
    def names(self) -> frozenset[str]:
        """The parameters that it does not reach with everything trainable."""
        return frozenset(name for names in self.lost.values() for name in names)


def find_reach(
    model: nn.Module, loss: Callable[[], Tensor], blocks: Mapping[str, Sequence[str]], head: Sequence[str]
) -> Reach:
    """Passes some examples forward and the loss backward, with everything trainable and with each block alone.

    `loss` makes a forward pass. `blocks` are the names of the parameters of each block that will be released, `head`
    those of what always trains. A parameter is lost where it has no gradient in training mode, tried several times,
    and, with everything trainable, in evaluation mode. Weights, gradients, `requires_grad`, modes, buffers and random
    state are as before, and no hook of a parameter is called. Nothing is lost where no pass can be made.
    """
    present = dict(model.named_parameters())
    names = [name for parameters in (head, *blocks.values()) for name in parameters if name in present]
    passes = _Passes(model, loss, Scope(tuple(names), tuple(present[name] for name in names)))
    unreached = passes.unreached(names, modes=("training", "evaluation"))
    lost, lost_alone = {}, {}
    for block, own in {"head": head, **blocks}.items():
        lost[block] = [name for name in own if name in unreached]
        if block in blocks and len(lost[block]) < len(own):
            alone = passes.unreached([*head, *own], modes=("training",)) - unreached
            lost_alone[block] = [name for name in own if name in alone]
    sizes = {"head": len(head), **{block: len(own) for block, own in blocks.items()}}
    return Reach(
        {block: found for block, found in lost.items() if found},
        {block: found for block, found in lost_alone.items() if found},
        [block for block, found in lost.items() if found and len(found) == sizes[block]],
    )


def require_reach(reach: Reach) -> None:
    """Warnings name parameters that the loss of a probe does not reach. Raises UserError `block_without_gradient`."""
    for block in reach.blocks_lost:
        raise UserError(
            "block_without_gradient",
            f"attach: the loss of the probe reaches nothing of the block {block}: it would not train",
            f"{_HINT}; where the training has another loss than the probe, give the probe an objective of your own "
            "with that one",
        )
    for block, names in reach.lost.items():
        warnings.warn(
            f"of the block {block}, {_some(names)} is not reached by the loss of the probe: it would not train",
            stacklevel=2,
        )
    warn_of_blocks(reach)


def warn_of_blocks(reach: Reach) -> None:
    """Warnings name blocks that would not train: in a training whose loss nobody knows, none of them is sure."""
    for block in reach.blocks_lost:
        warnings.warn(f"nothing that the model gives depends on the block {block}: it would not train", stacklevel=2)
    for block, names in reach.lost_alone.items():
        warnings.warn(
            f"of the block {block}, {_some(names)} is reached only while what lies below trains too: released from the "
            f"top down, it would not train; {_HINT}",
            stacklevel=2,
        )


def loss_of_probe(model: nn.Module, objective: Objective, batch: Batch) -> Callable[[], Tensor]:
    """The mean loss of the first examples of a batch."""
    examples = slice_batch(batch, 0, min(EXAMPLES, batch_size(batch)))
    return lambda: objective.loss(model, examples).mean()


class _Passes:
    """Forward and backward passes over some examples; afterwards the model is as it was."""

    def __init__(self, model: nn.Module, loss: Callable[[], Tensor], scope: Scope) -> None:
        self._model = model
        self._loss = loss
        self._scope = scope
        self._whole = Scope(*map(tuple, zip(*model.named_parameters(), strict=True)))
        # Too many to be copied: then nothing is tried in training mode.
        self._may_train = num_bytes(self._whole.parameters) <= MOST_BYTES
        self._values = _Values(model if self._may_train else nn.Module())

    def unreached(self, training: Collection[str], modes: Sequence[str]) -> frozenset[str]:
        """Of the parameters named in `training`, with gradients for them alone, those that get none in any pass."""
        left: frozenset[str] | None = None
        for mode in modes:
            if mode == "training" and not self._may_train:
                continue
            for _ in range(TRIES if mode == "training" else 1):
                missed = self._try(training, mode)
                if missed is not None:
                    left = missed if left is None else left & missed
                if missed is None or not left:
                    break
        return frozenset() if left is None else left

    def _try(self, training: Collection[str], mode: str) -> frozenset[str] | None:
        """None where the pass cannot be made: what the model lacks then is for its training to say."""
        wanted = set(training)
        with ExitStack() as stack:
            stack.enter_context(_same_flags(self._model, wanted))
            stack.enter_context(untouched(self._model, self._whole, silent=True))
            stack.enter_context(self._values.kept())
            stack.enter_context(eval_mode(self._model))
            stack.enter_context(differentiable_rnns(self._model, self._whole.parameters[0].device.type))
            if mode == "training":
                for module in self._model.modules():
                    module.training = True
            stack.enter_context(torch.enable_grad())
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")  # Of the pass: the training's own will come again.
            try:
                loss = self._loss()
                if loss.requires_grad:
                    # Not `torch.autograd.grad`, which reentrant checkpoints do not support.
                    loss.backward()  # type: ignore[no-untyped-call]
            except Exception:
                return None
            named = zip(self._scope.names, self._scope.parameters, strict=True)
            return frozenset(name for name, parameter in named if name in wanted and parameter.grad is None)


@contextmanager
def _same_flags(model: nn.Module, training: Collection[str]) -> Iterator[None]:
    """Gradients for the named parameters, and none yet; flags and gradients of all are as before on leaving."""
    kept = [(parameter, parameter.requires_grad, parameter.grad) for parameter in model.parameters()]
    try:
        for name, parameter in model.named_parameters():
            parameter.grad = None
            parameter.requires_grad_(name in training)
        yield
    finally:
        for parameter, flag, gradient in kept:
            parameter.requires_grad_(flag)
            parameter.grad = gradient


class _Values:
    """Copies of all weights, by which those are put back that a forward pass in training mode writes to.

    Codebooks and clipped layers do so, and a frozen encoder that follows the trained one.
    """

    def __init__(self, model: nn.Module) -> None:
        self._kept = [(p, sum_of_bits(p.detach()).item(), p.detach().to("cpu", copy=True)) for p in model.parameters()]

    @contextmanager
    def kept(self) -> Iterator[None]:
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, bits, copy in self._kept:
                    if sum_of_bits(parameter.detach()).item() != bits:
                        parameter.copy_(copy)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
