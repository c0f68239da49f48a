"""lr(i) = schedule(i) * factor: for rates that we compute, and for rates that a user's scheduler owns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import build_network, make_update, sgd
from torch.optim import lr_scheduler

from thawline.steering.rates import FactoredRates, ScheduledRates
from thawline.storage.weights import weights_sha256

rates = st.floats(1e-8, 1e3)
factors = st.floats(0, 10)


def two_groups(first: float, second: float) -> torch.optim.Optimizer:
    model = build_network()
    head = list(model.head.parameters())
    rest = [parameter for name, parameter in model.named_parameters() if not name.startswith("head.")]
    return torch.optim.SGD([{"params": head, "lr": first}, {"params": rest, "lr": second}], lr=1.0)


@given(rates, rates, st.lists(factors, min_size=1, max_size=6))
def test_scheduled_rates_never_compound(first: float, second: float, given_factors: list[float]) -> None:
    optimizer = two_groups(first, second)
    scheduled = ScheduledRates(optimizer, lambda update: 1 / update)
    for update, factor in enumerate(given_factors, 1):
        scheduled.apply(update, factor)
        expected = [first * (1 / update) * factor, second * (1 / update) * factor]
        assert [group["lr"] for group in optimizer.param_groups] == scheduled.at(update, factor) == expected


SCHEDULERS: dict[str, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]] = {
    "recursive": lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.9),
    "from the base": lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 10),
    "one cycle": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20),
}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("scheduler_last", [True, False])
def test_a_users_schedule_is_multiplied_and_never_disturbed(name: str, scheduler_last: bool) -> None:
    def schedule_alone() -> list[float]:
        optimizer = sgd(build_network())
        scheduler = SCHEDULERS[name](optimizer)
        seen = []
        for _ in range(8):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return seen

    optimizer = sgd(build_network())
    used: list[float] = []
    factored = FactoredRates(optimizer)
    optimizer.register_step_pre_hook(lambda *_: used.append(optimizer.param_groups[0]["lr"]))
    scheduler = SCHEDULERS[name](optimizer)
    given_factors = [1.0, 0.1, 0.1, 0.0, 2.0, 1.0, 0.3, 1.0]
    for update, factor in enumerate(given_factors, 1):
        factored.apply(update, factor)
        announced = factored.at(update, factor)
        optimizer.step()
        if scheduler_last:
            assert factored.at(update, factor) == announced
        scheduler.step()
        assert factored.at(update, factor) == announced == used[-1:]
    expected = [rate * factor for rate, factor in zip(schedule_alone(), given_factors, strict=True)]
    assert used == expected


def ramps_of(group: dict[str, Any], share: float) -> dict[int, float]:
    return {id(parameter): share for parameter in group["params"]}


@given(rates, rates, factors, st.lists(st.floats(0, 1, exclude_min=True), min_size=1, max_size=6))
def test_scheduled_rates_ramp_one_group_and_never_compound(
    first: float, second: float, factor: float, shares: list[float]
) -> None:
    optimizer = two_groups(first, second)
    scheduled = ScheduledRates(optimizer, lambda update: 1 / update)
    for update, share in enumerate(shares, 1):
        ramps = ramps_of(optimizer.param_groups[1], share)
        scheduled.apply(update, factor, ramps)
        expected = [first * (1 / update) * factor, second * (1 / update) * (factor * share)]
        assert [group["lr"] for group in optimizer.param_groups] == scheduled.at(update, factor, ramps) == expected


@pytest.mark.parametrize("name", [*SCHEDULERS, "on a plateau"])
def test_a_users_schedule_of_groups_does_not_see_a_ramp(name: str) -> None:
    def seen(shares: list[float | None]) -> tuple[list[list[float]], list[list[float]]]:
        """The rates that the scheduler had set before each update, and those that it was made with."""
        optimizer = two_groups(0.5, 0.25)
        factored = FactoredRates(optimizer)
        plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
        scheduler = None if name == "on a plateau" else SCHEDULERS[name](optimizer)
        between, used = [], []
        optimizer.register_step_pre_hook(lambda *_: used.append([group["lr"] for group in optimizer.param_groups]))
        for update, share in enumerate(shares, 1):
            between.append([group["lr"] for group in optimizer.param_groups])
            ramps = {} if share is None else ramps_of(optimizer.param_groups[1], share)
            factored.apply(update, 1.0, ramps)
            announced = factored.at(update, 1.0, ramps)
            optimizer.step()
            assert factored.at(update, 1.0, ramps) == announced == used[-1]
            if scheduler is None:
                plateau.step(1.0)
            else:
                scheduler.step()
        return between, used

    shares = [None, 0.25, 0.5, 0.75, None, None]
    between, used = seen(shares)
    plain, _ = seen([None] * len(shares))
    assert between == plain
    assert used == [[a, b * (share or 1.0)] for (a, b), share in zip(plain, shares, strict=True)]


def test_between_two_steps_the_rates_are_the_users() -> None:
    optimizer = two_groups(0.5, 0.25)
    factored = FactoredRates(optimizer)
    for update in (1, 2, 3):
        factored.apply(update, 1e-3)
        assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]
        optimizer.step()
        assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]


def test_a_rate_that_is_a_tensor_stays_that_tensor() -> None:
    rate = torch.tensor(0.1)
    optimizer = torch.optim.Adam(build_network().parameters(), lr=rate)
    factored = FactoredRates(optimizer)
    ramps = ramps_of(optimizer.param_groups[0], 0.5)
    for update, (ramp, used) in enumerate([({}, 0.05), (ramps, 0.025)], 1):
        factored.apply(update, 0.5, ramp)
        assert factored.at(update, 0.5, ramp) == [pytest.approx(used)]
        optimizer.step()
        assert factored.at(update, 0.5, ramp) == [pytest.approx(used)]
        assert optimizer.param_groups[0]["lr"] is rate
        assert rate.item() == pytest.approx(0.1)


def test_a_step_that_raises_does_not_keep_the_factor() -> None:
    optimizer = two_groups(0.5, 0.25)
    factored = FactoredRates(optimizer)
    factored.apply(1, 0.5)

    def fail() -> float:
        assert optimizer.param_groups[0]["lr"] == 0.25
        raise MemoryError

    with pytest.raises(MemoryError):
        optimizer.step(fail)
    factored.apply(2, 0.5)
    optimizer.step()
    assert factored.at(2, 0.5) == [0.25, 0.125]
    factored.detach()
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]


def test_factor_one_gives_the_same_bits_as_no_hooks_and_detaching_leaves_none() -> None:
    def train(attached: bool) -> str:
        model = build_network()
        optimizer = sgd(model)
        factored = FactoredRates(optimizer) if attached else None
        for update in range(1, 4):
            if factored is not None:
                factored.apply(update, 1.0)
            make_update(model, optimizer, update)
        if factored is not None:
            factored.apply(4, 0.0)
            factored.detach()
        make_update(model, optimizer, 4)
        return weights_sha256(model)

    assert train(attached=True) == train(attached=False)
