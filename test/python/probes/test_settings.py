import pytest

from thawline.errors import UserError
from thawline.probes import ProbeSettings


def test_the_defaults_are_the_papers_but_for_pairs_and_the_sphere():
    settings = ProbeSettings(seed=0)
    assert (settings.rho, settings.draws, settings.iterations, settings.every) == (0.01, 16, 15, 10)
    assert (settings.noise, settings.search, settings.search_tolerance) == ("antithetic", "sphere", 0.005)
    assert (settings.labels, settings.estimator, settings.worst_value) == ("sampled", "per_example", "best")


@pytest.mark.parametrize("name", ["rho", "draws", "iterations", "tau", "every", "start", "micro_batch"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_numbers_are_above_zero(name, value):
    with pytest.raises(UserError, match=f"probe {name} is") as caught:
        ProbeSettings(seed=0, **{name: value})
    assert caught.value.code == f"probe_{name}"


def test_nothing_may_be_kept_but_not_less():
    assert ProbeSettings(seed=0, cache_bytes=0).cache_bytes == 0
    with pytest.raises(UserError, match="probe cache_bytes is -1"):
        ProbeSettings(seed=0, cache_bytes=-1)


def test_antithetic_noise_comes_in_pairs():
    with pytest.raises(UserError, match=r"probe\.draws is 15, an odd number") as caught:
        ProbeSettings(seed=0, draws=15)
    assert caught.value.hint == "set probe.draws to 16, or probe.noise to independent"
    assert ProbeSettings(seed=0, draws=15, noise="independent").draws == 15


def test_the_sphere_has_no_last_iterate_and_its_tolerance_is_a_share():
    with pytest.raises(UserError, match=r"probe\.worst_value is last, but probe\.search is sphere"):
        ProbeSettings(seed=0, worst_value="last")
    assert ProbeSettings(seed=0, worst_value="last", search="apgd").worst_value == "last"
    for tolerance in (-0.1, float("nan")):
        with pytest.raises(UserError, match="probe search_tolerance is"):
            ProbeSettings(seed=0, search_tolerance=tolerance)


def test_the_batch_identity_draws_its_labels():
    with pytest.raises(UserError, match=r"probe\.labels is exact"):
        ProbeSettings(seed=0, estimator="batch", labels="exact")
    assert ProbeSettings(seed=0, estimator="batch", labels="true").labels == "true"
