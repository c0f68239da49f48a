"""The rates that a grant asks for: its factor, and the ramps of blocks that were released not long ago."""

from __future__ import annotations

import pytest
import torch
from tiny_training import BLOCKS, HEAD, build_network

from thawline.lockstep.abilities import SteeredModel
from thawline.lockstep.granted_rates import GrantedRates, warming_up_in
from thawline.steering.blocks import blocks_from_patterns
from thawline.steering.group_blocks import split_by_block
from thawline.steering.rates import ScheduledRates
from thawline.wire.protocol import Grant
from thawline.wire.warming_up import WarmingUp

GRANT = Grant(20, ["head", "top"], 0.5, [], [], warming_up=[WarmingUp(["top"], 10, 4)])


def rates_of() -> tuple[GrantedRates, torch.optim.Optimizer]:
    """Groups of the stem, the top and the head; 1 / update is the training's own schedule."""
    model = build_network()
    block_map = blocks_from_patterns(model, BLOCKS, HEAD)
    groups = split_by_block([{"params": list(model.parameters())}], model, block_map)
    optimizer = torch.optim.SGD(groups, lr=1.0)
    return GrantedRates(SteeredModel(model, block_map, ScheduledRates(optimizer, lambda update: 1 / update))), optimizer


@pytest.mark.parametrize(("update", "share"), [(10, 0.25), (11, 0.5), (12, 0.75), (13, 1.0), (19, 1.0)])
def test_of_the_blocks_that_warm_up_alone_the_rate_rises_within_one_grant(update: int, share: float) -> None:
    rates, optimizer = rates_of()
    rates.apply(update, GRANT)
    full = 1 / update * 0.5
    expected = [full, 1 / update * (0.5 * share), full]
    assert [group["lr"] for group in optimizer.param_groups] == rates.at(update, GRANT) == expected


def test_without_a_grant_and_without_a_warm_up_the_rates_are_those_of_the_training() -> None:
    rates, _ = rates_of()
    assert rates.at(4, None) == [0.25] * 3
    assert rates.at(4, Grant(20, ["head"], 0.5, [], [])) == [0.125] * 3


def test_a_warm_up_that_is_over_is_named_no_more() -> None:
    assert [len(warming_up_in(update, GRANT)) for update in (10, 12, 13, 19)] == [1, 1, 0, 0]
    assert warming_up_in(5, Grant(20, ["head"], 1.0, [], [])) == []
