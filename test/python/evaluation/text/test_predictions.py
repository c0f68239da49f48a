"""Predictions of a whole model, held against one example at a time and against answers that it was made to give."""

from collections.abc import Callable

import pytest
import torch
from text_examples import BRIDGE, CITY, RIVER, build_tokenizer, make_question
from tiny_encoder import build_seeded, move_adapters, save_xlm_roberta
from torch import Tensor, nn
from transformers.modeling_outputs import QuestionAnsweringModelOutput, SequenceClassifierOutput

from thawline.data.text.collation import Collation
from thawline.data.text.encoded_pairs import encode_pairs
from thawline.data.text.records import PAIR_LABELS, Pair
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import WindowSettings, build_windows
from thawline.evaluation.text.predictions import Batching, predict_answers, predict_pairs
from thawline.evaluation.text.scored_sets import ScoredPairs, ScoredQuestions
from thawline.evaluation.text.squad_scorer import score_squad
from thawline.interruption import Interrupted

TOKENIZER = PairTokenizer.from_fast(build_tokenizer())
QUESTIONS = [
    make_question(RIVER * 3, "Wien", id="q1"),
    make_question(CITY, "1898", id="q2"),
    make_question(BRIDGE, "Ada Byron", id="q3"),
]
WINDOWS = build_windows(QUESTIONS, TOKENIZER, WindowSettings(80, 16))
PAIRS = [Pair(f"a river {'x' * i}", "it is", PAIR_LABELS[i % 3]) for i in range(7)]
ENCODED = encode_pairs(PAIRS, TOKENIZER)


def never() -> bool:
    return False


def batching(size: int) -> Batching:
    return Batching(Collation(TOKENIZER.pad_id, torch.device("cpu")), size)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., nn.Module]:
    folder = save_xlm_roberta(tmp_path_factory.mktemp("encoder"), vocab_size=len(build_tokenizer()))

    def build(task: str, **options: object) -> nn.Module:
        model = build_seeded(task, folder, **options).model
        move_adapters(model)
        return model

    return build


class Oracle(nn.Module):
    """Knows each sequence by its tokens, and says what is right of it, or leaves it to a logit of its own."""

    def __init__(self, answers: dict[tuple[int, ...], tuple[int, ...]]) -> None:
        super().__init__()
        self._answers = answers
        self.widths: list[tuple[int, int]] = []

    def _known(self, input_ids: Tensor, attention_mask: Tensor) -> list[tuple[int, ...]]:
        self.widths.append(tuple(input_ids.shape))
        assert not self.training
        lengths = attention_mask.sum(dim=1).tolist()
        return [self._answers[tuple(row[:length].tolist())] for row, length in zip(input_ids, lengths, strict=True)]


class AnswerOracle(Oracle):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> QuestionAnsweringModelOutput:
        spans = torch.tensor(self._known(input_ids, attention_mask))
        # Padding is the most likely of all, and is no answer.
        starts, ends = (torch.where(attention_mask == 1, 0.0, 9.0) for _ in range(2))
        starts.scatter_(1, spans[:, :1], 5.0)
        ends.scatter_(1, spans[:, 1:], 5.0)
        return QuestionAnsweringModelOutput(start_logits=starts, end_logits=ends)


class LabelOracle(Oracle):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SequenceClassifierOutput:
        labels = torch.tensor(self._known(input_ids, attention_mask)).flatten()
        return SequenceClassifierOutput(logits=nn.functional.one_hot(labels, 3).float())


def rows(tokens: object) -> list[tuple[int, ...]]:
    return [tuple(tokens.ids[tokens.slice_of(row)].tolist()) for row in range(len(tokens))]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [1, 2, 50])
def test_right_logits_are_right_answers_in_batches_of_any_size(size: int) -> None:
    spans = zip(WINDOWS.start_positions.tolist(), WINDOWS.end_positions.tolist(), strict=True)
    model = AnswerOracle(dict(zip(rows(WINDOWS.tokens), spans, strict=True)))
    answers = predict_answers(model, QUESTIONS, WINDOWS, batching(size), never)
    assert answers == {"q1": "Wien", "q2": "1898", "q3": "Ada Byron"}
    assert model.training
    assert [width for _, width in model.widths] == sorted((width for _, width in model.widths), reverse=True)
    scored = ScoredQuestions(QUESTIONS, WINDOWS, score_squad)
    assert scored.num_examples == 3 < len(WINDOWS)
    assert list(scored.score(model, batching(size), never).items()) == [("f1", 1.0), ("exact_match", 1.0)]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_right_logits_are_right_labels_in_the_order_of_the_pairs(size: int) -> None:
    wrong = {1, 4}
    labels = [(label + (row in wrong)) % 3 for row, label in enumerate(ENCODED.labels.tolist())]
    model = LabelOracle(dict(zip(rows(ENCODED.tokens), [(label,) for label in labels], strict=True)))
    assert predict_pairs(model, ENCODED, batching(size), never) == [PAIR_LABELS[label] for label in labels]
    scored = ScoredPairs(PAIRS, ENCODED)
    assert scored.num_examples == 7
    assert scored.score(model, batching(size), never) == {"accuracy": pytest.approx(5 / 7)}


@pytest.mark.parametrize("size", [2, 50])
def test_a_batch_says_of_each_sequence_what_it_would_say_of_it_alone(
    build: Callable[..., nn.Module], size: int
) -> None:
    """Padding is masked, dropout is off, and the order of the batches does not show."""
    model = build("question_answering")
    alone = predict_answers(model, QUESTIONS, WINDOWS, batching(1), never)
    assert alone.keys() == {"q1", "q2", "q3"}
    assert predict_answers(model, QUESTIONS, WINDOWS, batching(size), never) == alone
    pairs = build("sequence_classification", num_labels=3)
    assert predict_pairs(pairs, ENCODED, batching(size), never) == predict_pairs(pairs, ENCODED, batching(1), never)


def test_nothing_that_trains_is_touched(build: Callable[..., nn.Module]) -> None:
    model = build("question_answering")
    flags = [parameter.requires_grad for parameter in model.parameters()]
    state = torch.get_rng_state()
    predict_answers(model, QUESTIONS, WINDOWS, batching(2), never)
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), state)


def test_it_can_be_stopped_between_batches(build: Callable[..., nn.Module]) -> None:
    model = build("question_answering")
    asked: list[int] = []

    def at_the_third() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Interrupted):
        predict_answers(model, QUESTIONS, WINDOWS, batching(1), at_the_third)
    assert len(asked) == 3 < len(WINDOWS)
    assert all(module.training for module in model.modules())
    with pytest.raises(Interrupted):
        ScoredPairs(PAIRS, ENCODED).score(build("sequence_classification", num_labels=3), batching(1), lambda: True)
