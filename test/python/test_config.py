"""The controller's configuration and the worker's idea of it: the same keys, and a named key where they differ."""

from __future__ import annotations

import copy
import json
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from example_config import attached_config, run_config
from thawline.config import (
    BlockPattern,
    ConstantSchedule,
    LinearTailSchedule,
    OtherAdapterConfig,
    RunConfig,
    TextRunConfig,
    UserModelConfig,
    parse_attached_config,
    parse_config,
)
from thawline.errors import UserError

SCHEMA = Path(__file__).parents[2] / "configs" / "schema.json"


def test_a_resolved_configuration_is_understood() -> None:
    config = parse_config(run_config())
    assert config.train.schedule == LinearTailSchedule(0.5)
    assert (config.train.learning_rate, config.data.max_train_examples, config.intervention.k) == (0.05, 40, "online")
    assert config.intervention.after == 1.0


def test_a_fixed_k_and_a_constant_schedule_are_understood() -> None:
    config = parse_config(run_config(intervention={"k": 270}, train={"schedule": {"kind": "constant"}}))
    assert config.intervention.k == 270
    assert config.train.schedule == ConstantSchedule()


def test_an_import_path_is_a_kind_of_model() -> None:
    config = run_config()
    blocks = [{"name": "top", "pattern": "^conv2"}]
    own = {"kind": "a.b:build", "folder": "/x", "options": {"width": 2, "act": None}, "blocks": blocks, "head": "^fc"}
    model = parse_config(config | {"model": own}).model
    assert model == UserModelConfig(
        "a.b:build", "/x", {"width": 2, "act": None}, [BlockPattern("top", "^conv2")], "^fc"
    )
    with pytest.raises(UserError, match=r"surprise.*\$\.model"):
        parse_config(config | {"model": own | {"surprise": 1}})


@pytest.mark.parametrize("section", ["model", "data", "train", "probe", "intervention", "evaluate", "checkpoint"])
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
    assert (parsed.seed, parsed.intervention) == (0, whole.intervention)
    assert all(getattr(whole.probe, key) == getattr(parsed.probe, key) for key in config["probe"])
    del config["probe"]
    with pytest.raises(UserError, match="probe"):
        parse_attached_config(config)


def test_the_worker_knows_exactly_the_keys_that_the_controller_checks() -> None:
    """configs/schema.json is generated from the controller's schema."""
    sections = json.loads(SCHEMA.read_text())["properties"]
    del sections["preset"]  # What a file may begin with; a resolved configuration has none.
    images, text = typing.get_type_hints(RunConfig), typing.get_type_hints(TextRunConfig)
    assert images.keys() == text.keys() == sections.keys()
    for name in sections.keys() - {"name", "seed", "supervision"}:
        # A mapping whose keys depend on its kind has as many forms, whatever their order.
        kinds = sections[name].get("oneOf", [sections[name]])
        forms = dict.fromkeys(structs for form in (images[name], text[name]) for structs in forms_of(form))
        assert sorted(map(known_keys, forms)) == sorted(sorted(kind["properties"]) for kind in kinds), name


def forms_of(form: Any) -> tuple[type[msgspec.Struct], ...]:
    return typing.get_args(form) or (form,)


def known_keys(struct: type[msgspec.Struct]) -> list[str]:
    tag = struct.__struct_config__.tag_field
    names = {field.name for field in msgspec.structs.fields(struct)} | ({tag} if tag else set())
    return sorted(names - {"import_path"})  # It is the `kind` of a model of the user's own.
