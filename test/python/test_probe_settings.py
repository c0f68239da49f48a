"""From the configuration to the settings of the probes: nothing is lost or mistaken for something else."""

import pytest

from example_config import run_config
from thawline.blocks import resnet18_blocks
from thawline.config import RunConfig, parse_config
from thawline.errors import UserError
from thawline.models.resnet import build_resnet18
from thawline.probe_settings import probe_settings
from thawline.probes import ProbeSettings

BLOCKS = resnet18_blocks(build_resnet18(width=2, in_channels=1, num_classes=10))


def settings_of(probe, **intervention) -> ProbeSettings:
    config = parse_config(run_config(seed=5, probe=probe, intervention=intervention))
    assert isinstance(config, RunConfig)
    return probe_settings(config.seed, config.probe, config.intervention, BLOCKS)


def test_every_key_arrives_at_its_setting():
    probe = {
        "every": 7,
        "scope": "all",
        "rho": 0.03,
        "draws": 4,
        "iterations": 6,
        "worst_value": "last",
        "labels": "argmax",
        "estimator": "batch",
    }
    found = settings_of({**probe, "cache_gib": 0.5}, tau=8, start=21)
    assert {name: getattr(found, name) for name in probe} == probe
    assert (found.seed, found.tau, found.start, found.cache_bytes) == (5, 8, 21, 2**29)


def test_scope_all_is_the_head_and_every_block():
    names = settings_of({}).all_parameter_names
    model = build_resnet18(width=2, in_channels=1, num_classes=10)
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())


def test_without_an_intervention_points_are_counted_from_the_first_update():
    assert settings_of({}, kind="none", start=21).start == 1


def test_settings_that_make_no_sense_are_the_users_mistake():
    with pytest.raises(UserError, match=r"probe\.estimator is batch"):
        settings_of({"estimator": "batch", "labels": "exact"})
