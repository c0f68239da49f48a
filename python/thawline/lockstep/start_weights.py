"""How far each block has moved from the weights that its run began with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import torch
from torch import Tensor, nn

from thawline.steering.blocks import Block, BlockMap
from thawline.storage.weights import UnhashableError, require_whole

# More than this stays in the host's memory: a training that just fits on its device must go on fitting there.
LARGEST_COPY_ON_DEVICE: Final = 256 * 2**20
# Narrower ones have no difference of their own.
_DTYPES: Final = frozenset(
    {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128}
)


@dataclass(frozen=True)
class _Start:
    """A parameter, and a copy of what it was."""

    parameter: nn.Parameter
    values: Tensor

    def is_comparable(self) -> bool:
        return self.parameter.shape == self.values.shape

    def difference(self) -> Tensor:
        """What was added since, in float32 at least, on the parameter's device."""
        values = self.parameter.detach()
        wide = torch.promote_types(values.dtype, torch.float32)
        return values.to(wide) - self.values.to(device=values.device, dtype=wide)


class StartWeights:
    """The parameters of head and blocks as they are now, kept to be compared with what they become.

    Costs the memory of one copy of these parameters, on their own devices up to `LARGEST_COPY_ON_DEVICE` bytes.
    """

    def __init__(self, model: nn.Module, block_map: BlockMap) -> None:
        blocks = (block_map.head, *block_map.blocks)
        named = dict(model.named_parameters())
        parameters = [named[name] for block in blocks for name in block.parameter_names]
        num_bytes = sum(parameter.numel() * parameter.element_size() for parameter in parameters)
        on_host = num_bytes > LARGEST_COPY_ON_DEVICE
        self._blocks = [_copy(block, named, on_host=on_host) for block in blocks]
        self._norms = _joint_norms(
            [() if block is None else (start.values for start in block) for block in self._blocks]
        )

    def moved(self) -> list[float | None]:
        """||w - w0|| / ||w0|| over each block's parameters, the head's first, then the blocks' from the top down.

        None where w0 is zero, and where the parameters cannot be compared: sharded, sparse, quantized, of another
        shape than at the start. Buffers do not count. The host waits once for a device, whatever there is to compare.
        """
        comparable = [
            block if block is not None and all(start.is_comparable() for start in block) else None
            for block in self._blocks
        ]
        distances = _joint_norms([(start.difference() for start in block or ()) for block in comparable])
        return [
            None if block is None or norm == 0 else distance / norm
            for block, distance, norm in zip(comparable, distances, self._norms, strict=True)
        ]


def _copy(block: Block, named: dict[str, nn.Parameter], *, on_host: bool) -> Sequence[_Start] | None:
    """None for a block that has a parameter whose values cannot be read as plain numbers."""
    copies = []
    for name in block.parameter_names:
        parameter, values = named[name], named[name].detach()
        try:
            require_whole(name, parameter)
        except UnhashableError:
            return None
        # A subclass may compute anything by its operators, or want all ranks to take part.
        if type(values) is not Tensor or values.dtype not in _DTYPES:
            return None
        copies.append(_Start(parameter, values.to("cpu" if on_host else values.device, copy=True)))
    return copies


@torch.no_grad()
def _joint_norms(groups: Sequence[Iterable[Tensor]]) -> list[float]:
    """The norm of all tensors of a group together, for each group; 0 for one without any."""
    squares = [[_sum_of_squares(tensor) for tensor in group] for group in groups]
    flat = [square for group in squares for square in group]
    if not flat:
        return [0.0] * len(groups)
    on_host = iter(torch.stack([square.to(flat[0].device) for square in flat]).tolist())
    return [math.sqrt(sum(islice(on_host, len(group)))) for group in squares]


def _sum_of_squares(tensor: Tensor) -> Tensor:
    """Scalar, in float32 at least: `sum` adds in pairs, where `vector_norm` is slower, and off in the fifth digit."""
    real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return real.square().sum(dtype=torch.promote_types(real.dtype, torch.float32))
