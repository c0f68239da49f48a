"""The loss on a set of examples, as an estimate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def mean_and_error(losses: Sequence[Tensor]) -> tuple[float, float]:
    """The mean of the losses of all examples, given batch by batch as [n], and its standard error over examples.

    In float64, on the host, in the order given. The error of a single example is NaN.
    """
    values = torch.cat([batch.reshape(-1).to("cpu", torch.float64) for batch in losses])
    error = float(values.std(correction=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), error
