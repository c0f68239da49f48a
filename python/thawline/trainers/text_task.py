"""What a run on text learns and is scored by: the configured data as tokens, and the objective that fits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import nn

from thawline.config.run import TextRunConfig
from thawline.config.text_data import QuestionAnsweringConfig, SentencePairsConfig, TextDataConfig, XquadArticlesConfig
from thawline.data.text.collation import Sequences
from thawline.data.text.encoded_pairs import EncodedPairs
from thawline.data.text.loading import (
    TRAINING_LANGUAGE,
    LanguageRecords,
    Scorer,
    load_pair_records,
    load_question_records,
)
from thawline.data.text.records import PAIR_LABELS, Pair, PairLabel, Question
from thawline.data.text.token_cache import cached_pairs, cached_windows
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import WindowSettings
from thawline.errors import UserError
from thawline.evaluation.text.mlqa_scorer import score_mlqa
from thawline.evaluation.text.scored_sets import AnswerScorer, ScoredPairs, ScoredQuestions, ScoredSet
from thawline.evaluation.text.squad_scorer import score_squad
from thawline.models.text import Task
from thawline.storage.cache import default_cache_folder

IN_DISTRIBUTION = "in_dist"


@dataclass(frozen=True)
class TextTask:
    """`tests` by split: `in_dist` first, then `ood/<test set>/<language>`.

    `in_dist` is the English part of the first test set that has one, else the development set; it is under its own name
    among the others too, for there each test set has all of its languages.
    """

    train: Sequences
    development: ScoredSet
    tests: Mapping[str, ScoredSet]


def task_kind(data: TextDataConfig) -> tuple[Task, int | None]:
    """The head that the data ask for, and the number of its labels (None: spans have none)."""
    if isinstance(data, SentencePairsConfig):
        return "sequence_classification", len(PAIR_LABELS)
    return "question_answering", None


def load_task(
    data: TextDataConfig, tokenizer: PairTokenizer, label_names: tuple[PairLabel, ...] = PAIR_LABELS
) -> TextTask:
    """Reads all of the configured data and turns them into tokens, once: they are kept in the cache.

    `label_names` are the labels of sentence pairs in the order of the model's outputs.

    Raises UserError: what the readers raise, and `wrong_data` for a question that is too long.
    """
    cache = default_cache_folder()
    if isinstance(data, SentencePairsConfig):
        return _load_pairs(data, tokenizer, label_names, cache)
    return _load_questions(data, tokenizer, cache)


def check_length(config: TextRunConfig, model: nn.Module) -> None:
    """Raises UserError `invalid_config` for sequences that are longer than the encoder has positions."""
    positions = [
        # Where padding has a position, as in RoBERTa's kind, tokens are counted from the one after it.
        module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
        for name, module in model.named_modules()
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
    ]
    if positions and config.data.max_length > positions[0]:
        raise UserError(
            "invalid_config",
            f"`data.max_length` is {config.data.max_length}, but {config.model.pretrained} has positions for "
            f"{positions[0]} tokens",
            hint=f"set `data.max_length` to at most {positions[0]}",
        )


def _load_questions(
    data: QuestionAnsweringConfig | XquadArticlesConfig, tokenizer: PairTokenizer, cache: Path
) -> TextTask:
    records = load_question_records(data)
    settings = WindowSettings(data.max_length, data.stride)

    def scored(questions: Sequence[Question], scorer: AnswerScorer) -> ScoredQuestions:
        return ScoredQuestions(questions, cached_windows(questions, tokenizer, settings, cache_folder=cache), scorer)

    development = scored(records.development, score_squad)
    tests = {_split(test): scored(test.records, _answer_scorer(test.scorer, test.language)) for test in records.tests}
    train = cached_windows(records.train, tokenizer, settings, cache_folder=cache)
    return TextTask(train, development, _with_in_distribution(records.tests, tests, development))


def _load_pairs(
    data: SentencePairsConfig, tokenizer: PairTokenizer, label_names: tuple[PairLabel, ...], cache: Path
) -> TextTask:
    records = load_pair_records(data)

    def encoded(pairs: Sequence[Pair]) -> EncodedPairs:
        return cached_pairs(pairs, tokenizer, max_length=data.max_length, cache_folder=cache).numbered_as(label_names)

    def scored(pairs: Sequence[Pair]) -> ScoredPairs:
        return ScoredPairs(pairs, encoded(pairs))

    development = scored(records.development)
    tests = {_split(test): scored(test.records) for test in records.tests}
    return TextTask(encoded(records.train), development, _with_in_distribution(records.tests, tests, development))


def _split(test: LanguageRecords[Question] | LanguageRecords[Pair]) -> str:
    return f"ood/{test.name}/{test.language}"


def _with_in_distribution(
    records: Sequence[LanguageRecords[Question]] | Sequence[LanguageRecords[Pair]],
    tests: Mapping[str, ScoredSet],
    development: ScoredSet,
) -> dict[str, ScoredSet]:
    english = next((_split(test) for test in records if test.language == TRAINING_LANGUAGE), None)
    return {IN_DISTRIBUTION: development if english is None else tests[english], **tests}


def _answer_scorer(scorer: Scorer, language: str) -> AnswerScorer:
    return score_squad if scorer == "squad" else partial(score_mlqa, language=language)
