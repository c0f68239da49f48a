import pytest

from thawline.errors import UserError
from thawline.probes import ProbeSettings


def test_the_defaults_are_the_papers():
    settings = ProbeSettings(seed=0)
    assert (settings.rho, settings.draws, settings.iterations, settings.every) == (0.01, 15, 15, 10)
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


def test_the_batch_identity_draws_its_labels():
    with pytest.raises(UserError, match=r"probe\.labels is exact"):
        ProbeSettings(seed=0, estimator="batch", labels="exact")
    assert ProbeSettings(seed=0, estimator="batch", labels="true").labels == "true"
