"""The controller's factor holds for the whole of an optimizer's step, also after `super().step()`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from thawline.steering.rates import FactoredRates


class Decayed(torch.optim.SGD):
    """Uses the rate once more after the step of its parent class."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.seen: list[float] = []
        self.fails = False

    def step(self, closure=None):
        loss = super().step(closure)
        self.seen.append(self.param_groups[0]["lr"])
        if self.fails:
            raise RuntimeError("out of memory")
        return loss


@pytest.fixture(params=[False, True], ids=["alone", "after one of the parent class"])
def optimizer(request: pytest.FixtureRequest) -> Decayed:
    if request.param:
        torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    return Decayed([weight], lr=0.5)


@pytest.mark.parametrize("warms_up", [False, True])
def test_the_factor_holds_until_the_outer_step_ends(optimizer: Decayed, warms_up: bool) -> None:
    rates = FactoredRates(optimizer)
    weight = optimizer.param_groups[0]["params"][0]
    if warms_up:
        rates.apply(1, 0.4, {id(weight): 0.25})
    else:
        rates.apply(1, 0.1)
    optimizer.step()
    assert optimizer.seen == [pytest.approx(0.05)]
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.param_groups[0]["params"][0].item() == pytest.approx(0.95)


def test_a_step_that_raised_lends_nothing_to_the_next(optimizer: Decayed) -> None:
    rates = FactoredRates(optimizer)
    rates.apply(1, 0.1)
    optimizer.fails = True
    with pytest.raises(RuntimeError, match="out of memory"):
        optimizer.step()
    optimizer.fails = False
    optimizer.step()
    assert optimizer.seen == [pytest.approx(0.05)] * 2
    assert optimizer.param_groups[0]["lr"] == 0.5
