"""The newest loss, and the first one that is not finite."""

from __future__ import annotations

import math

import pytest
import torch

from thawline.errors import NonFiniteLossError
from thawline.lockstep.loss_reader import LossReader

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="copies asynchronously on a CUDA device only")


def test_on_the_cpu_the_newest_loss_is_known_at_once() -> None:
    reader = LossReader()
    assert reader.offer(torch.tensor(2.5, requires_grad=True), 1, 0.1) == 2.5
    assert reader.offer(torch.tensor(1.5, dtype=torch.float64), 2, 0.1) == 1.5
    reader.settle()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_refused_with_its_update_and_rate(value: float) -> None:
    reader = LossReader()
    reader.offer(torch.tensor(1.0), 1, 0.1)
    with pytest.raises(NonFiniteLossError, match=rf"{value} at update 2 \(learning rate 0.05\)") as caught:
        reader.offer(torch.tensor(value), 2, 0.05)
    assert (caught.value.update, caught.value.learning_rate) == (2, 0.05)


@needs_cuda
def test_on_a_device_the_loss_on_its_way_is_read_when_settling() -> None:
    reader = LossReader()
    reader.offer(torch.tensor(math.nan, device="cuda"), 3, 0.2)
    with pytest.raises(NonFiniteLossError) as caught:
        reader.settle()
    assert (caught.value.update, caught.value.learning_rate) == (3, 0.2)
