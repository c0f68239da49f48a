"""The model card, as a person and the Hub read it."""

from __future__ import annotations

from typing import Any

import pytest
from text_training import text_run_config

from thawline.config.run import TextRunConfig, parse_config
from thawline.lockstep.abilities import SplitScore
from thawline.steering.blocks import Block, BlockMap
from thawline.storage.journal import JournaledDecisions, JournaledInterval, MaskChange
from thawline.trainers.text_card import model_card

BLOCK_MAP = BlockMap(
    head=Block("head", ("h",), 34),
    blocks=tuple(Block(f"layer{index}", (f"l{index}",), 128) for index in (2, 1, 0)),
    trainable_from_start=("layer2",),
)
QUESTIONS: dict[str, Any] = {
    "kind": "question_answering",
    "train": "/data/squad",
    "development": {"hub": "rajpurkar/squad", "revision": "0" * 40, "config": None, "split": "validation"},
    "tests": [],
    "max_length": 64,
    "stride": 16,
    "max_train_examples": None,
    "max_test_examples": None,
}
ONLINE = JournaledDecisions(
    JournaledInterval(40, "online", "fisher_trace", 40),
    (MaskChange(40, True, ("layer1",)), MaskChange(80, True, ("layer0",))),
)


def config_of(data: dict[str, Any] = QUESTIONS, **sections: Any) -> TextRunConfig:
    config = parse_config(text_run_config("/models/xlm-r", data, **sections))
    assert isinstance(config, TextRunConfig)
    return config


def card(
    config: TextRunConfig, decisions: JournaledDecisions = ONLINE, step: int = 100, scores: tuple[SplitScore, ...] = ()
) -> str:
    return model_card(config, BLOCK_MAP, decisions, step, scores, ("neutral", "contradiction", "entailment"))


def test_the_whole_card() -> None:
    scores = (
        SplitScore("in_dist", {"f1": 0.81234, "exact_match": 0.7}, 1190, regenerated=False),
        SplitScore("ood/xquad/de", {"f1": 0.5, "exact_match": 0.25}, 1190, regenerated=False),
    )
    assert (
        card(config_of(), scores=scores)
        == f"""---
base_model: /models/xlm-r
library_name: peft
tags:
- lora
- thawline
---

# example, seed 0, after 100 updates

Adapter (`lora`) for `/models/xlm-r`, trained by thawline:
adamw, learning rate 0.01, batches of 4.

Question answering. Training data: `/data/squad`. Development data: `rajpurkar/squad validation at {"0" * 40}`.

## What trained when

Intervention: `gradual_unfreezing`.
k = 40 (source: online, signal `fisher_trace`, decided at update 40).

- from the start: head, layer2
- from update 40: layer1
- from update 80: layer0

## Scores

| split | f1 | exact_match | examples |
| --- | --- | --- | --- |
| in_dist | 0.8123 | 0.7000 | 1190 |
| ood/xquad/de | 0.5000 | 0.2500 | 1190 |
"""
    )


def test_whose_rules_compared_answers() -> None:
    def test_set(name: str, scorer: str) -> dict[str, Any]:
        return {"name": name, "source": "/data", "languages": ["de"], "scorer": scorer}

    tests = [test_set("xquad", "squad"), test_set("mlqa", "mlqa")]
    shown = card(config_of({**QUESTIONS, "tests": tests}))
    assert "Answers are compared in `xquad` as SQuAD's scorer does, `mlqa` as MLQA's scorer does." in shown
    assert "compared" not in card(config_of())


def when(text: str) -> list[str]:
    """The lines that say what trained when."""
    return text.split("## What trained when\n\n")[1].split("\n## ")[0].strip().split("\n")


@pytest.mark.parametrize(
    ("step", "released"), [(39, []), (40, ["layer1"]), (79, ["layer1"]), (80, ["layer1", "layer0"])]
)
def test_what_was_released_after_these_weights_is_not_on_it(step: int, released: list[str]) -> None:
    """The weights that were kept may be older than the run."""
    lines = [line for line in when(card(config_of(), step=step)) if "from update" in line]
    assert [line.split(": ")[1] for line in lines] == released


def test_a_fixed_interval_has_no_signal() -> None:
    fixed = JournaledDecisions(JournaledInterval(15, "fixed", None, 0), ())
    assert when(card(config_of(), fixed))[1] == "k = 15 (source: fixed)."


def test_an_interval_that_was_not_found_is_not_made_up() -> None:
    assert when(card(config_of(), JournaledDecisions(None, ()))) == [
        "Intervention: `gradual_unfreezing`.",
        "",
        "- from the start: head, layer2",
    ]


def test_an_intervention_that_starts_later_trains_everything_first() -> None:
    later = JournaledDecisions(
        JournaledInterval(3, "fixed", None, 0),
        (MaskChange(5, False, ("layer1", "layer0")), MaskChange(8, True, ("layer1",))),
    )
    assert when(card(config_of(card={"start": 5}), later))[3:] == [
        "- from the start: everything",
        "- from update 5 no longer: layer1, layer0",
        "- from update 8: layer1",
    ]


def test_a_run_without_an_intervention() -> None:
    config = config_of(card={"intervention": "none", "freezes": False})
    assert when(card(config, JournaledDecisions(None, ()))) == ["Everything from the first update: no intervention."]


def test_a_switch_of_the_learning_rate_has_an_interval_and_no_blocks() -> None:
    lines = when(card(config_of(card={"intervention": "learning_rate_switch", "freezes": False})))
    assert lines == ["Intervention: `learning_rate_switch`.", *lines[1:2]]
    assert lines[1].startswith("k = 40")


def test_pairs_say_what_the_outputs_mean() -> None:
    pairs = {key: value for key, value in QUESTIONS.items() if key != "stride"} | {"kind": "sentence_pairs"}
    scores = (SplitScore("in_dist", {"accuracy": 2 / 3}, 9, regenerated=False),)
    text = card(config_of(pairs), scores=scores)
    assert "Outputs, in their order: neutral, contradiction, entailment." in text
    assert "| in_dist | 0.6667 | 9 |" in text


def test_articles_of_xquad_are_named() -> None:
    shared = {key: QUESTIONS[key] for key in ("max_length", "stride", "max_train_examples", "max_test_examples")}
    data = {"kind": "xquad_articles", "path": "/data/xquad", "languages": ["en"], **shared}
    assert "articles of XQuAD's English, `/data/xquad`" in card(config_of(data))


def test_a_revision_and_another_adapter_are_named() -> None:
    config = text_run_config("FacebookAI/xlm-roberta-base", QUESTIONS)
    config["model"] |= {"revision": "e" * 40, "adapter": {"method": "ia3", "targets": ["key"], "options": {}}}
    parsed = parse_config(config)
    assert isinstance(parsed, TextRunConfig)
    text = card(parsed)
    assert "- ia3\n" in text
    assert f"Adapter (`ia3`) for `FacebookAI/xlm-roberta-base` at {'e' * 40}, trained" in text
