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
from thawline.evaluation.text.scored_sets import ScoredQuestions
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


@pytest.fixture(scope="module")
def pair_parts(encoder: str, pairs: dict[str, Any], text_cache: Path) -> TextParts:
    config = parse_config(text_run_config(encoder, pairs))
    assert isinstance(config, TextRunConfig)
    return build_parts(config, torch.device("cpu"))


def mean_loss(parts: TextParts) -> float:
    """As the training has it, one window or pair at a time, so without padding."""
    development = parts.task.development
    sequences = development.windows if isinstance(development, ScoredQuestions) else development.encoded  # type: ignore[attr-defined]
    parts.model.eval()
    with torch.no_grad():
        losses = [
            parts.objective.loss(parts.model, parts.collation.batch(sequences, torch.tensor([row]))).item()
            for row in range(len(sequences))
        ]
    parts.model.train()
    return sum(losses) / len(losses)


@pytest.mark.parametrize("kind", ["parts", "pair_parts"])
def test_the_loss_on_it_is_that_of_the_training_whatever_the_batches(kind: str, request: pytest.FixtureRequest) -> None:
    parts: TextParts = request.getfixturevalue(kind)
    found = [validator(parts.task, parts.model, Batching(parts.collation, size))(never).loss for size in (1, 2, 1000)]
    for loss in found:
        assert loss is not None
        assert loss[0] == pytest.approx(mean_loss(parts), rel=1e-4)
        assert loss[1] == pytest.approx(found[0][1], rel=1e-3)  # type: ignore[index]
        assert loss[1] > 0


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
