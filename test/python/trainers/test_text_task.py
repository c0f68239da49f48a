"""The configured data as what a run trains on and is scored by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from text_examples import XQUAD_FOLDER, build_tokenizer, make_question, needs_xquad
from text_training import LANGUAGES, text_run_config
from tiny_encoder import SIZES, VOCABULARY, save_bert, xlm_roberta_config
from torch import nn
from transformers import DebertaV2Config, DebertaV2Model, XLMRobertaForQuestionAnswering

from thawline.config.run import TextRunConfig, parse_config
from thawline.config.text_data import TextDataConfig
from thawline.data.text.tokenization import PairTokenizer
from thawline.errors import UserError
from thawline.evaluation.text.scored_sets import ScoredPairs, ScoredQuestions
from thawline.trainers.text_task import TextTask, check_length, load_task, task_kind

pytestmark = pytest.mark.usefixtures("text_cache")

TOKENIZER = PairTokenizer.from_fast(build_tokenizer())


def config_of(data: dict[str, Any]) -> TextRunConfig:
    config = parse_config(text_run_config("/models/encoder", data))
    assert isinstance(config, TextRunConfig)
    return config


def data_of(data: dict[str, Any]) -> TextDataConfig:
    return config_of(data).data


def task_of(data: dict[str, Any], **changes: Any) -> TextTask:
    return load_task(data_of(data | changes), TOKENIZER)


def test_the_head_is_that_of_the_data(questions: dict[str, Any], pairs: dict[str, Any]) -> None:
    assert task_kind(data_of(questions)) == ("question_answering", None)
    assert task_kind(data_of(pairs)) == ("sequence_classification", 3)


def test_every_language_of_every_set_is_a_split_and_english_is_in_distribution(questions: dict[str, Any]) -> None:
    task = task_of(questions)
    assert [*task.tests] == ["in_dist", *(f"ood/xquad/{language}" for language in LANGUAGES), "ood/mlqa/zh"]
    assert task.tests["in_dist"] is task.tests["ood/xquad/en"]
    assert [test.num_examples for test in [task.development, *task.tests.values()]] == [5] * 6


def test_examples_are_questions_however_many_windows_they_have(questions: dict[str, Any]) -> None:
    task = task_of(questions, max_length=48, stride=8)
    assert isinstance(task.development, ScoredQuestions)
    assert task.development.num_examples == 5 < len(task.development.windows)
    assert len(task.train) == len(task.development.windows)
    assert int(task.train.tokens.lengths.max()) <= 48


def test_without_english_in_a_test_set_the_development_set_is_in_distribution(questions: dict[str, Any]) -> None:
    tests = [{**test, "languages": ["de"]} for test in questions["tests"][:1]]
    task = task_of(questions, tests=tests)
    assert [*task.tests] == ["in_dist", "ood/xquad/de"]
    assert task.tests["in_dist"] is task.development


def test_the_first_test_set_with_english_is_in_distribution(questions: dict[str, Any]) -> None:
    xquad, mlqa = questions["tests"]
    task = task_of(questions, tests=[{**xquad, "languages": ["de"]}, {**mlqa, "languages": ["zh", "en"]}])
    assert task.tests["in_dist"] is task.tests["ood/mlqa/en"]


def test_each_test_set_has_the_scorer_of_its_language(questions: dict[str, Any]) -> None:
    """Chinese characters are words of their own in MLQA's alone."""
    task = task_of(questions)
    for split, f1 in [("ood/xquad/zh", 0), ("ood/mlqa/zh", pytest.approx(200 / 3))]:
        test = task.tests[split]
        assert isinstance(test, ScoredQuestions)
        assert test.scorer([make_question("北京大学", "北京大学")], {"q": "北京"}).f1 == f1
    assert isinstance(task.development, ScoredQuestions)
    assert task.development.scorer([make_question("the fox", "the fox")], {"q": "fox"}) == (100, 100)


def test_pairs_have_a_split_for_every_language(pairs: dict[str, Any]) -> None:
    task = task_of(pairs, max_train_examples=4, max_test_examples=7)
    assert [*task.tests] == ["in_dist", *(f"ood/xnli/{language}" for language in LANGUAGES)]
    assert task.tests["in_dist"] is task.tests["ood/xnli/en"]
    assert all(isinstance(test, ScoredPairs) for test in task.tests.values())
    assert len(task.train) == 4
    assert [test.num_examples for test in [task.development, *task.tests.values()]] == [7] * 5


def test_tokens_are_made_once(questions: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The five questions are the same in all but the parts that another limit cuts."""
    monkeypatch.setenv("THAWLINE_CACHE", str(tmp_path))
    first = task_of(questions)
    files = sorted((tmp_path / "text").iterdir())
    assert len(files) == 1
    again = task_of(questions)
    assert sorted((tmp_path / "text").iterdir()) == files
    assert torch.equal(first.train.tokens.ids, again.train.tokens.ids)


@needs_xquad
def test_real_articles_are_split_and_no_context_is_in_two_parts() -> None:
    data = {"kind": "xquad_articles", "path": str(XQUAD_FOLDER), "languages": ["de", "en", "th"]}
    limits = {"max_length": 384, "stride": 128, "max_train_examples": 20, "max_test_examples": 10}
    task = task_of(data, **limits)
    assert [*task.tests] == ["in_dist", "ood/xquad/de", "ood/xquad/en", "ood/xquad/th"]
    assert task.tests["in_dist"] is task.tests["ood/xquad/en"]
    assert {test.num_examples for test in task.tests.values()} == {10}
    english = task.tests["in_dist"]
    assert isinstance(task.development, ScoredQuestions)
    assert isinstance(english, ScoredQuestions)
    chosen_by = {question.context for question in task.development.questions}
    assert not chosen_by & {question.context for question in english.questions}


def on_meta(make: type[nn.Module], config: object) -> nn.Module:
    with torch.device("meta"):
        return make(config)


def test_padding_takes_positions_in_encoders_of_robertas_kind(questions: dict[str, Any]) -> None:
    """The published XLM-R base has 514 and reads 512 tokens."""
    model = on_meta(XLMRobertaForQuestionAnswering, xlm_roberta_config(max_position_embeddings=514))
    check_length(config_of({**questions, "max_length": 512}), model)
    with pytest.raises(UserError, match=r"`data\.max_length` is 513, .* has positions for 512 tokens") as caught:
        check_length(config_of({**questions, "max_length": 513}), model)
    assert (caught.value.code, caught.value.hint) == ("invalid_config", "set `data.max_length` to at most 512")


def test_an_encoder_reads_as_many_tokens_as_the_check_says(questions: dict[str, Any]) -> None:
    """By running it: one more is out of the range of its embeddings."""
    model = XLMRobertaForQuestionAnswering(xlm_roberta_config(max_position_embeddings=20)).eval()
    check_length(config_of({**questions, "max_length": 18}), model)
    with pytest.raises(UserError):
        check_length(config_of({**questions, "max_length": 19}), model)
    model(input_ids=torch.full((1, 18), 7))
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, 19), 7))


def test_other_encoders_use_all_of_their_positions_or_have_none(questions: dict[str, Any], tmp_path: Path) -> None:
    from transformers import AutoModel

    bert = AutoModel.from_pretrained(save_bert(tmp_path / "bert", pooler=True))
    check_length(config_of({**questions, "max_length": 130}), bert)
    with pytest.raises(UserError, match="positions for 130 tokens"):
        check_length(config_of({**questions, "max_length": 131}), bert)
    relative = DebertaV2Config(vocab_size=VOCABULARY, relative_attention=True, position_biased_input=False, **SIZES)
    check_length(config_of({**questions, "max_length": 5_000}), on_meta(DebertaV2Model, relative))
