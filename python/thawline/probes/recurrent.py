"""Recurrent networks on CUDA: cuDNN has no backward pass for them in evaluation mode, in which the probes measure.

PyTorch says so only then ("cudnn RNN backward can only be called in training mode"). Its own kernels have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def differentiable_rnns(model: nn.Module, device_type: str) -> Iterator[None]:
    """cuDNN is off where `model` has an LSTM, a GRU or an RNN and runs on CUDA; afterwards it is as before.

    For all passes of a measurement, also those without a backward pass and those of other layers: losses that are
    subtracted must come from the same arithmetic. Not by `torch.backends.cudnn.flags`, which would set TF32 as well.
    """
    cudnn = torch.backends.cudnn
    has_rnns = device_type == "cuda" and any(isinstance(module, nn.RNNBase) for module in model.modules())
    before = cudnn.enabled
    try:
        if has_rnns:
            cudnn.enabled = False
        yield
    finally:
        cudnn.enabled = before
