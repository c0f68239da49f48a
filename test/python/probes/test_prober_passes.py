"""How often each part of a network runs: the cost of a boundary, counted."""

import pytest
from probe_tower import STAGES, TowerObjective, build_tower, tower_probe_set, tower_settings

from thawline.probes import Prober

BATCHES = 3


def tallies(tower):
    return [*(layer.tally for layer in tower.layers), tower.tally]


def forget(tower):
    for tally in tallies(tower):
        tally.forwards = tally.backwards = 0


def passes(prober, tower, update, metric):
    """Forward and backward passes of layers 0, 1 and 2 and of the head."""
    prober.check()
    forget(tower)
    prober.measure(update, [metric])
    return [tally.forwards for tally in tallies(tower)], [tally.backwards for tally in tallies(tower)]


def prober_of(tower, **settings):
    return Prober(tower, TowerObjective(), tower_probe_set(), tower_settings(**settings), STAGES)


# Forward and backward passes over the whole probe set.
EXPECTED = {
    "fisher_trace": (1, 1),
    "sharpness_avg": (4 + 1, 0),
    "sharpness_worst": (4 + 1, 4),
    "feature_rank": (1, 0),
    "gradient_norm": (1, 1),
}


@pytest.mark.parametrize("metric", EXPECTED)
@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_frozen_layers_run_once_and_never_again(metric, cache_bytes):
    tower = build_tower()
    prober = prober_of(tower, cache_bytes=cache_bytes)
    first_forwards, _ = passes(prober, tower, 1, metric)
    forwards, backwards = passes(prober, tower, 10, metric)
    wanted_forwards, wanted_backwards = (BATCHES * count for count in EXPECTED[metric])
    below = wanted_forwards if cache_bytes == 0 else 0
    assert forwards == [below, below, wanted_forwards, wanted_forwards]
    assert backwards == [0, 0, wanted_backwards, wanted_backwards]
    # The first time there is one comparison of two passes. tr(F) also looks at its logits, of two examples and of one;
    # tries its rules, on two examples and on each; and sees whether they account for the gradients of all.
    rules, accounts = (2 + 3, BATCHES) if metric == "fisher_trace" else (0, 0)
    if cache_bytes == 0:
        assert first_forwards == [wanted_forwards + rules + accounts] * 4
    else:
        assert first_forwards == [BATCHES + rules] * 2 + [wanted_forwards + rules + accounts + 2] * 2


@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_each_product_with_the_hessian_takes_one_pass_of_what_is_in_scope(cache_bytes):
    tower = build_tower()
    prober = prober_of(tower, cache_bytes=cache_bytes)
    prober.measure(1, ["hessian_lambda_max"])
    forwards, backwards = passes(prober, tower, 10, "hessian_lambda_max")
    once = forwards[-1]
    assert once % BATCHES == 0
    below = once if cache_bytes == 0 else 0
    assert forwards == [below, below, once, once]
    assert backwards[:2] == [0, 0]


def test_several_metrics_of_one_boundary_share_one_pass_of_the_frozen_layers():
    tower = build_tower()
    prober = prober_of(tower)
    prober.check()
    forget(tower)
    prober.measure(1, ["sharpness_avg", "sharpness_worst", "feature_rank"])
    assert tower.layers[0].tally.forwards == tower.layers[1].tally.forwards == BATCHES


@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_the_closed_forms_run_the_network_once(cache_bytes):
    tower = build_tower(("head.",))
    prober = prober_of(tower, cache_bytes=cache_bytes)
    metrics = [
        "fisher_trace",
        "sharpness_avg",
        "sharpness_worst",
        "hessian_lambda_max",
        "feature_rank",
        "gradient_norm",
    ]
    prober.check()
    forget(tower)
    for boundary in (1, 2):
        prober.measure(10 * boundary, metrics)
        # Once it looks at the logits, of two examples and of one.
        expected = 2 + (BATCHES if cache_bytes else BATCHES * boundary)
        assert [tally.forwards for tally in tallies(tower)] == [expected] * 4
        assert [tally.backwards for tally in tallies(tower)] == [0] * 4


def test_a_search_in_bfloat16_is_scored_by_three_more_passes():
    tower = build_tower()
    prober = prober_of(tower, search_precision="bfloat16")
    prober.measure(1, ["sharpness_worst"])
    forwards, backwards = passes(prober, tower, 10, "sharpness_worst")
    assert forwards == [0, 0, BATCHES * (4 + 1 + 3), BATCHES * (4 + 1 + 3)]
    assert backwards == [0, 0, BATCHES * 4, BATCHES * 4]
