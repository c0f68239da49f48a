"""Scores as shares of 1, by the scorer of the set, on a small encoder that knows nothing."""

from collections.abc import Sequence

import pytest
import torch
from text_examples import BRIDGE, CITY, RIVER, build_tokenizer, make_question
from tiny_encoder import build_seeded, save_xlm_roberta
from torch import nn

from thawline.data.text.collation import Collation
from thawline.data.text.encoded_pairs import encode_pairs
from thawline.data.text.records import Pair, Question
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import WindowSettings, build_windows
from thawline.evaluation.text.answer_scores import AnswerScores
from thawline.evaluation.text.predictions import Batching, predict_pairs
from thawline.evaluation.text.scored_sets import ScoredPairs, ScoredQuestions
from thawline.interruption import Interrupted

TOKENIZER = PairTokenizer.from_fast(build_tokenizer())
BATCHING = Batching(Collation(TOKENIZER.pad_id, torch.device("cpu")), 2)
QUESTIONS = [
    make_question(RIVER * 3, "Wien", id="q1"),
    make_question(CITY, "1898", id="q2"),
    make_question(BRIDGE, "Ada Byron", id="q3"),
]
WINDOWS = build_windows(QUESTIONS, TOKENIZER, WindowSettings(80, 16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_xlm_roberta(tmp_path_factory.mktemp("encoder"), vocab_size=len(TOKENIZER.backend.get_vocab()))


@pytest.fixture(scope="module")
def answering(folder: str) -> nn.Module:
    return build_seeded("question_answering", folder).model


def test_the_scorer_of_the_set_is_given_every_answer_and_its_percentages_become_shares(answering: nn.Module) -> None:
    seen: list[dict[str, str]] = []

    def scorer(questions: Sequence[Question], predictions: dict[str, str]) -> AnswerScores:
        assert questions is QUESTIONS
        seen.append(predictions)
        return AnswerScores(exact_match=25, f1=80)

    scored = ScoredQuestions(QUESTIONS, WINDOWS, scorer)
    assert scored.num_examples == 3 < len(WINDOWS)
    # The first one is what a run is judged by.
    assert list(scored.score(answering, BATCHING, lambda: False).items()) == [("f1", 0.8), ("exact_match", 0.25)]
    (predictions,) = seen
    assert all(predictions[question.id] in question.context for question in QUESTIONS)


def test_accuracy_is_the_share_of_pairs_that_are_right(folder: str) -> None:
    model = build_seeded("sequence_classification", folder, num_labels=3).model
    texts = [f"a river {'x' * i}" for i in range(5)]
    encoded = encode_pairs([Pair(text, "it is", "neutral") for text in texts], TOKENIZER)
    predicted = predict_pairs(model, encoded, BATCHING, lambda: False)
    others = {"entailment": "neutral", "neutral": "contradiction", "contradiction": "entailment"}
    gold = [others[label] if row == 2 else label for row, label in enumerate(predicted)]
    pairs = [Pair(text, "it is", label) for text, label in zip(texts, gold, strict=True)]
    scored = ScoredPairs(pairs, encoded)
    assert scored.num_examples == 5
    assert scored.score(model, BATCHING, lambda: False) == {"accuracy": 0.8}


def test_a_stopped_score_is_none(answering: nn.Module) -> None:
    def scorer(questions: Sequence[Question], predictions: dict[str, str]) -> AnswerScores:
        raise AssertionError("there is nothing to score")

    with pytest.raises(Interrupted):
        ScoredQuestions(QUESTIONS, WINDOWS, scorer).score(answering, BATCHING, lambda: True)
