"""Signals of each block beside those of the whole: what each is, what they share, and what they cost."""

import pytest
import torch
from probe_tower import STAGES, TowerObjective, build_tower, set_trainable, tower_probe_set, tower_settings

from thawline.errors import UserError
from thawline.probes import METRICS, Prober, UpdateRule
from thawline.probes.measures import OF_FEATURES

NAMES = [name for name, _ in build_tower(("",)).named_parameters()]
BLOCKS = {
    "head": [name for name in NAMES if name.startswith("head.")],
    "layer2": [name for name in NAMES if name.startswith("layers.2.")],
    "layer1": [name for name in NAMES if name.startswith("layers.1.")],
    "rest": [name for name in NAMES if name.startswith(("layers.0.", "embedding."))],
}
BATCHES = 3
OF_PARAMETERS = [metric for metric in METRICS if metric not in OF_FEATURES]


def prober_of(tower, **changes):
    rule = UpdateRule(torch.optim.SGD(tower.parameters(), lr=0.1))
    return Prober(tower, TowerObjective(), tower_probe_set(), tower_settings(**changes), STAGES, rule)


def by_key(measured):
    return {measurement.key.removeprefix("probe/"): measurement for measurement in measured}


@pytest.mark.parametrize("metric", OF_PARAMETERS)
@pytest.mark.parametrize("labels", ["sampled", "exact"])
def test_a_blocks_value_is_that_of_the_block_alone(metric, labels):
    """As if nothing else trained; a linear head alone has the closed forms, and is exact to rounding."""
    tower = build_tower()
    found = by_key(prober_of(tower, scope="blocks", blocks=BLOCKS, labels=labels).measure(10, [metric]))[metric]
    assert found.blocks is not None
    assert set(found.blocks.values) == {"head", "layer2"}
    for block in ("head", "layer2"):
        set_trainable(tower, tuple(BLOCKS[block]))
        alone = by_key(prober_of(tower, labels=labels).measure(10, [metric]))[metric]
        # Of a sampled tr(F) the closed form of a head takes the mean over labels.
        rel = 0.7 if (metric, labels, block) == ("fisher_trace", "sampled", "head") else 1e-4
        assert found.blocks.values[block] == pytest.approx(alone.value, rel=rel)
        if metric in ("fisher_trace", "hessian_lambda_max", "gradient_norm") or alone.standard_error is None:
            continue
        assert found.blocks.standard_errors[block] == pytest.approx(alone.standard_error, rel=1e-3)


def test_the_whole_is_what_it_is_without_them_and_sums_add_up():
    tower = build_tower()
    split = by_key(prober_of(tower, scope="blocks", blocks=BLOCKS).measure(10, METRICS))
    whole = by_key(prober_of(tower).measure(10, METRICS))
    assert {key: m.value for key, m in split.items()} == {key: m.value for key, m in whole.items()}
    assert all(m.blocks is None for m in whole.values())
    for key in ("fisher_trace_sum", "fisher_trace_num_parameters"):
        assert sum(split[key].blocks.values.values()) == pytest.approx(split[key].value, rel=1e-6)
    squares = sum(value**2 for value in split["gradient_norm"].blocks.values.values())
    assert squares == pytest.approx(split["gradient_norm"].value ** 2, rel=1e-6)
    assert all(split[key].blocks is None for key in (*OF_FEATURES, "loss", "label_uncertainty"))


def test_the_batch_estimator_splits_as_well():
    tower = build_tower()
    found = by_key(prober_of(tower, scope="blocks", blocks=BLOCKS, estimator="batch").measure(10, ["fisher_trace"]))
    assert sum(found["fisher_trace_sum"].blocks.values.values()) == pytest.approx(found["fisher_trace_sum"].value)
    assert set(found["fisher_trace"].blocks.standard_errors.values()) == {None}


def test_the_only_block_in_scope_is_the_whole_and_costs_nothing():
    tower = build_tower(("head.",))
    prober = prober_of(tower, scope="blocks", blocks=BLOCKS)
    prober.measure(10, OF_PARAMETERS)
    tower.tally.forwards = 0
    found = prober.measure(20, OF_PARAMETERS)
    assert tower.tally.forwards == 0
    for measurement in found:
        assert measurement.blocks is None or measurement.blocks.values == {"head": measurement.value}


# Forward and backward passes over the probe set for two blocks: those for the whole, then those for the layer, and one
# forward pass for the head.
EXPECTED = {
    "fisher_trace": (1, 1),
    "gradient_norm": (1, 1),
    "sharpness_avg": ((4 + 1) + (4 + 1) + 1, 0),
    "sharpness_worst": ((4 + 1) + (4 + 1) + 1, 4 + 4),
}


@pytest.mark.parametrize("metric", EXPECTED)
def test_what_can_be_shared_is_shared_and_the_rest_is_counted(metric):
    tower = build_tower()
    prober = prober_of(tower, scope="blocks", blocks=BLOCKS)
    prober.measure(10, [metric])
    tower.tally.forwards = tower.tally.backwards = 0
    prober.measure(20, [metric])
    forwards, backwards = EXPECTED[metric]
    assert tower.tally.forwards == BATCHES * forwards
    assert tower.tally.backwards == BATCHES * backwards


def test_requires_grad_and_weights_come_back():
    tower = build_tower()
    before = [(parameter.requires_grad, parameter.detach().clone()) for parameter in tower.parameters()]
    prober_of(tower, scope="blocks", blocks=BLOCKS).measure(10, METRICS)
    for parameter, (flag, weights) in zip(tower.parameters(), before, strict=True):
        assert parameter.requires_grad == flag
        assert torch.equal(parameter, weights)


@pytest.mark.parametrize("number", [0, 129])
def test_blocks_that_no_message_could_hold_are_refused(number):
    with pytest.raises(UserError, match=f"for {number} blocks with the head"):
        tower_settings(scope="blocks", blocks={str(index): ["x"] for index in range(number)})
