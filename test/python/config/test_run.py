"""What the controller sends, read into types, and a named key where it does not fit."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from example_config import NO_WEIGHTS, attached_config, run_config

from thawline.config.run import (
    BlockPattern,
    ConstantSchedule,
    LinearTailSchedule,
    OtherAdapterConfig,
    UserModelConfig,
    parse_attached_config,
    parse_config,
)
from thawline.errors import UserError

SENT = json.loads((Path(__file__).parents[2] / "vectors" / "worker-configs" / "configs.json").read_text())


def test_a_resolved_configuration_is_understood() -> None:
    config = parse_config(run_config())
    assert config.train.schedule == LinearTailSchedule(0.5)
    assert (config.train.learning_rate, config.data.max_train_examples, config.probe.tau) == (0.05, 40, 3)
    assert config.frozen_batch_norm is None


def test_a_constant_schedule_and_a_run_that_measures_nothing_are_understood() -> None:
    config = parse_config(run_config(train={"schedule": {"kind": "constant"}}) | {"probe": None})
    assert config.probe is None
    assert config.train.schedule == ConstantSchedule()


def test_an_import_path_is_a_kind_of_model() -> None:
    config = run_config()
    blocks = [{"name": "top", "pattern": "^conv2"}]
    own = {
        "kind": "a.b:build",
        **NO_WEIGHTS,
        "folder": "/x",
        "options": {"width": 2, "act": None},
        "blocks": blocks,
        "head": "^fc",
    }
    model = parse_config(config | {"model": own}).model
    assert model == UserModelConfig(
        import_path="a.b:build",
        folder="/x",
        options={"width": 2, "act": None},
        blocks=[BlockPattern("top", "^conv2")],
        head="^fc",
        weights=None,
        weights_sha256=None,
        weights_head="fitting",
    )
    with pytest.raises(UserError, match=r"surprise.*\$\.model"):
        parse_config(config | {"model": own | {"surprise": 1}})


@pytest.mark.parametrize("section", ["model", "data", "train", "evaluate", "device"])
def test_an_unknown_and_a_missing_key_are_named(section: str) -> None:
    extra: dict[str, Any] = copy.deepcopy(run_config())
    extra[section]["surprise"] = 1
    with pytest.raises(UserError, match=rf"surprise.*\$\.{section}") as caught:
        parse_config(extra)
    assert caught.value.code == "invalid_config"

    lacking = copy.deepcopy(run_config())
    key = sorted(lacking[section])[0]
    del lacking[section][key]
    with pytest.raises(UserError, match=rf"{key}.*\$\.{section}"):
        parse_config(lacking)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"model": {"kind": "vgg16"}}, r"\$\.model\.kind"),
        ({"data": {"kind": "svhn"}}, r"\$\.data\.kind"),
        ({"train": {"learning_rate": "high"}}, r"\$\.train\.learning_rate"),
        ({"train": {"schedule": {"kind": "cosine"}}}, r"\$\.train\.schedule"),
        ({"seed": 1.5}, r"\$\.seed"),
    ],
)
def test_a_value_of_another_kind_is_named(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(UserError, match=place):
        parse_config(run_config(**changes))


def test_an_option_of_an_adapter_may_be_a_list() -> None:
    options = {"feedforward_modules": ["output.dense"], "init_ia3_weights": True}
    fields = {"method": "other", "peft_method": "ia3", "targets": ["key", "output.dense"], "options": options}
    assert msgspec.convert(fields, OtherAdapterConfig).options == options


def test_a_users_own_training_needs_its_part_only() -> None:
    config = attached_config()
    parsed, whole = parse_attached_config(config), parse_config(run_config())
    assert (parsed.seed, parsed.needs_probe) == (0, False)
    assert all(getattr(whole.probe, key) == getattr(parsed.probe, key) for key in config["probe"])
    del config["needs_probe"]
    with pytest.raises(UserError, match="needs_probe"):
        parse_attached_config(config)


@pytest.mark.parametrize("name", sorted(SENT))
def test_the_worker_reads_all_that_the_controller_sends_and_nothing_else(name: str) -> None:
    """The file is what the controller makes of configurations of every kind."""
    sent = SENT[name]
    parsed = parse_attached_config(sent) if "needs_probe" in sent else parse_config(sent)
    assert without_nothing(as_sent(msgspec.to_builtins(parsed))) == without_nothing(sent)


def as_sent(config: dict[str, Any]) -> dict[str, Any]:
    """With the words that had to become fields, since a tag is a fixed word, back in their places."""
    match config.get("model"):
        case {"kind": "import", "import_path": path, **settings}:
            return config | {"model": {"kind": path, **settings}}
        case {"adapter": {"method": "other", "peft_method": method, **settings}} as model:
            return config | {"model": model | {"adapter": {"method": method, **settings}}}
    return config


def without_nothing(value: Any) -> Any:
    """Without keys that are null: one that does not apply may be sent or not."""
    if isinstance(value, dict):
        return {key: without_nothing(inner) for key, inner in value.items() if inner is not None}
    return [without_nothing(inner) for inner in value] if isinstance(value, list) else value
