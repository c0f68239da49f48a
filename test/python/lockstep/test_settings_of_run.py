"""From the configuration to the settings of the probes: nothing is lost or mistaken for something else."""

import json
from pathlib import Path

import pytest
from example_config import run_config

from thawline.config.run import RunConfig, parse_config
from thawline.errors import UserError
from thawline.lockstep.settings_of_run import _OPTIONS, probe_settings
from thawline.models.resnet import build_resnet18, resnet18_blocks
from thawline.probes import ProbeSettings

SCHEMA = Path(__file__).parents[3] / "configs" / "schema.json"
BLOCKS = resnet18_blocks(build_resnet18(width=2, in_channels=1, num_classes=10))


def settings_of(**probe) -> ProbeSettings:
    config = parse_config(run_config(seed=5, probe=probe))
    assert isinstance(config, RunConfig)
    return probe_settings(config.seed, config.probe, BLOCKS)


def test_every_key_arrives_at_its_setting():
    probe = {
        "every": 7,
        "check_every": 9,
        "scope": "all",
        "rho": 0.03,
        "draws": 5,
        "noise": "independent",
        "iterations": 6,
        "search": "apgd",
        "search_tolerance": 0.02,
        "worst_value": "last",
        "labels": "argmax",
        "estimator": "batch",
    }
    found = settings_of(**probe, cache_gib=0.5, tau=8, start=21)
    assert {name: getattr(found, name) for name in probe} == probe
    assert (found.seed, found.tau, found.start, found.cache_bytes) == (5, 8, 21, 2**29)


def test_scope_all_is_the_head_and_every_block():
    names = settings_of().all_parameter_names
    model = build_resnet18(width=2, in_channels=1, num_classes=10)
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())


def test_a_run_of_before_there_was_a_choice_measures_as_it_did():
    before = {"draws": 15, "iterations": 15, "worst_value": "last"}
    found = settings_of(**before, noise=None, search=None, search_tolerance=None)
    assert (found.noise, found.search, found.draws, found.worst_value) == ("independent", "apgd", 15, "last")


def test_options_that_no_metric_uses_keep_the_defaults_of_the_probes():
    unused = dict.fromkeys(_OPTIONS)
    found, defaults = settings_of(**unused), ProbeSettings(seed=5)
    assert {name: getattr(found, name) for name in unused} == {name: getattr(defaults, name) for name in unused}


def test_defaults_of_the_probes_are_those_of_the_configuration():
    """Whoever uses the probes without a controller measures as a run does that was told nothing."""
    keys = json.loads(SCHEMA.read_text())["properties"]["probe"]["properties"]
    defaults = ProbeSettings(seed=0)
    shared = {name: key["default"] for name, key in keys.items() if hasattr(defaults, name)}
    assert shared.keys() >= {"every", *_OPTIONS}
    assert {name: getattr(defaults, name) for name in shared} == shared
    assert defaults.cache_bytes == keys["cache_gib"]["default"] * 2**30


def test_settings_that_make_no_sense_are_the_users_mistake():
    with pytest.raises(UserError, match=r"probe\.estimator is batch"):
        settings_of(estimator="batch", labels="exact")
