"""What is scored, in which order, and what a recall leaves of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from text_training import text_run_config

from thawline.config.run import TextRunConfig, parse_config
from thawline.evaluation.text.predictions import Batching
from thawline.interruption import Interrupted
from thawline.lockstep.abilities import SplitScore
from thawline.trainers.text_evaluation import evaluator, validator
from thawline.trainers.text_parts import TextParts, build_parts

pytestmark = pytest.mark.usefixtures("text_cache")


@pytest.fixture(scope="module")
def parts(encoder: str, questions: dict[str, Any], text_cache: Path) -> TextParts:
    config = parse_config(text_run_config(encoder, questions))
    assert isinstance(config, TextRunConfig)
    return build_parts(config, torch.device("cpu"))


def after(num_calls: int) -> Callable[[], bool]:
    """Says so when it has been asked so often."""
    asked = iter(range(num_calls))
    return lambda: next(asked, None) is None


def never() -> bool:
    return False


def batching_of(parts: TextParts) -> Batching:
    return Batching(parts.collation, 2)


def test_the_development_set_is_scored_in_eval_mode_and_training_goes_on(parts: TextParts) -> None:
    parts.model.train()
    state = torch.get_rng_state()
    score = validator(parts.task, parts.model, batching_of(parts))(never)
    assert validator(parts.task, parts.model, batching_of(parts))(never) == score
    assert (score.split, score.num_examples, score.regenerated) == ("development", 5, False)
    assert [*score.values] == ["f1", "exact_match"]
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in parts.model.modules())


def test_a_recall_ends_a_validation_without_a_score(parts: TextParts) -> None:
    with pytest.raises(Interrupted):
        validator(parts.task, parts.model, batching_of(parts))(after(1))
    assert all(module.training for module in parts.model.modules())


def test_every_split_is_scored_once_and_then_all_of_them_are_handed_on(parts: TextParts) -> None:
    done: list[list[SplitScore]] = []
    runs: list[int] = []
    handle = parts.model.register_forward_hook(lambda module, inputs, output: runs.append(1))
    scores = list(evaluator(parts.task, parts.model, batching_of(parts), done.append)(never))
    handle.remove()
    assert [score.split for score in scores] == [*parts.task.tests]
    assert done == [scores]
    windows = len(parts.task.train)
    # Four sets in five splits: English stands under two names and is run once.
    assert len(runs) == 4 * -(-windows // 2)
    assert scores[0].values == scores[1].values


def test_a_recall_keeps_the_splits_before_it_and_hands_nothing_on(parts: TextParts) -> None:
    done: list[list[SplitScore]] = []
    batches = -(-len(parts.task.train) // 2)
    scores: list[SplitScore] = []
    with pytest.raises(Interrupted):
        scores.extend(evaluator(parts.task, parts.model, batching_of(parts), done.append)(after(batches + 1)))
    assert [score.split for score in scores] == ["in_dist", "ood/xquad/en"]
    assert done == []
    assert all(module.training for module in parts.model.modules())
