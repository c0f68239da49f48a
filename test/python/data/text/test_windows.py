from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from text_examples import CITY, RIVER, XQUAD_FOLDER, build_tokenizer, make_question, needs_xquad

from thawline.data.text.records import Answer, Question
from thawline.data.text.squad import read_xquad
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import NOT_CONTEXT, QuestionWindows, WindowSettings, build_windows, find_token_span
from thawline.errors import UserError

FAST = build_tokenizer()
TOKENIZER = PairTokenizer.from_fast(FAST)
CLS = 0


def build(*questions: Question, max_length: int = 48, stride: int = 8) -> QuestionWindows:
    return build_windows(questions, TOKENIZER, WindowSettings(max_length, stride))


def labelled_text(windows: QuestionWindows, window: int, context: str) -> str | None:
    """What the positions of a window say the answer is; None where they point at CLS."""
    start, end = int(windows.start_positions[window]), int(windows.end_positions[window])
    offsets = windows.offsets[windows.tokens.slice_of(window)]
    if start == end == 0:
        return None
    return context[int(offsets[start, 0]) : int(offsets[end, 1])]


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        (RIVER, "ドナウ川"),
        (RIVER, "Wien, Budapest and बेलग्रेद"),
        (CITY, "北京大学"),
        (CITY, "1898"),
        (CITY, "opened in"),
    ],
)
def test_positions_point_at_the_answer(context: str, answer: str) -> None:
    windows = build(make_question(context, answer), max_length=200)
    assert len(windows) == 1
    found = labelled_text(windows, 0, context)
    assert found is not None
    assert found.strip() == answer


def test_windows_overlap_by_the_stride_and_cover_the_context() -> None:
    context = "abcdefghij" * 6
    windows = build(make_question(context, "a"), max_length=40, stride=8)
    spans = []
    for window in range(len(windows)):
        offsets = windows.offsets[windows.tokens.slice_of(window)].tolist()
        spans.append([tuple(pair) for pair in offsets if pair[0] != NOT_CONTEXT])
        assert len(offsets) <= 40
    assert len(spans) > 2
    for before, after in pairwise(spans):
        assert before[-8:] == after[:8]
    assert {i for span in spans for start, end in span for i in range(start, end)} == {*range(len(context))}


def test_a_window_without_all_of_the_answer_points_at_cls() -> None:
    context = "abcdefghij" * 6
    answer = Answer(context[30:40], 30)
    windows = build(Question("q", "What?", context, (answer,), 0, None), max_length=40, stride=8)
    texts = [labelled_text(windows, window, context) for window in range(len(windows))]
    assert answer.text in texts
    assert None in texts
    assert {*texts} == {answer.text, None}


def test_windows_are_those_of_transformers() -> None:
    questions = [
        make_question(context, "is", question=f"  Q{i}?") for i, context in enumerate([RIVER, CITY, RIVER * 3])
    ]
    windows = build(*questions)
    expected = FAST(
        [question.question.lstrip() for question in questions],
        [question.context for question in questions],
        max_length=48,
        stride=8,
        truncation="only_second",
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert windows.questions.tolist() == expected["overflow_to_sample_mapping"]
    for window, (ids, offsets) in enumerate(zip(expected["input_ids"], expected["offset_mapping"], strict=True)):
        place = windows.tokens.slice_of(window)
        assert windows.tokens.ids[place].tolist() == ids
        is_context = [sequence == 1 for sequence in expected.sequence_ids(window)]
        own = windows.offsets[place].tolist()
        assert [tuple(pair) for pair, inside in zip(own, is_context, strict=True) if inside] == [
            pair for pair, inside in zip(offsets, is_context, strict=True) if inside
        ]
        assert all((pair == [NOT_CONTEXT] * 2) != inside for pair, inside in zip(own, is_context, strict=True))


def test_a_question_that_leaves_no_room_is_named() -> None:
    long = make_question("Ada built it.", "Ada", id="q9", question="w" * 50)
    with pytest.raises(UserError, match=r"question q9 has 51 tokens.* leave it at most 35") as caught:
        build(make_question("Ada", "Ada"), long)
    assert caught.value.code == "wrong_data"
    # The longest question that is let through still makes windows that advance.
    windows = build(make_question("abc" * 30, "a", question="w" * 34))
    assert len(windows) > 2


def test_the_first_answer_is_the_one_to_learn() -> None:
    question = make_question(CITY, "北京")
    both = Question(
        question.id, question.question, CITY, (Answer("1898", CITY.index("1898")), *question.answers), 0, None
    )
    assert (labelled_text(build(both, max_length=99), 0, CITY) or "").strip() == "1898"


def test_a_batch_is_what_a_transformers_model_takes() -> None:
    windows = build(make_question(RIVER, "Wien"), make_question("Ada", "Ada"), max_length=200)
    batch = windows.collate(torch.tensor([1, 0]), pad_id=1, multiple_of=8)
    assert [*batch] == ["input_ids", "attention_mask", "start_positions", "end_positions"]
    assert batch["input_ids"].shape[1] % 8 == 0
    assert batch["attention_mask"].sum(1).tolist() == windows.tokens.lengths[[1, 0]].tolist()
    assert batch["start_positions"].tolist() == windows.start_positions[[1, 0]].tolist()
    assert (batch["input_ids"][0][batch["attention_mask"][0] == 0] == 1).all()


def offsets_of(*pairs: tuple[int, int]) -> np.ndarray:
    return np.array([(NOT_CONTEXT, NOT_CONTEXT), *pairs, (NOT_CONTEXT, NOT_CONTEXT)], np.int32)


@pytest.mark.parametrize(
    ("offsets", "answer", "span"),
    [
        (offsets_of((0, 3), (3, 8), (8, 9)), Answer("-" * 3, 4), (2, 2)),  # inside a token
        (offsets_of((0, 3), (3, 3), (3, 8), (8, 9)), Answer("-" * 5, 3), (3, 3)),  # an empty token before it
        (offsets_of((0, 1), (1, 2), (1, 2), (2, 3)), Answer("-", 1), (2, 3)),  # two tokens of one character
        (offsets_of((2, 4), (4, 6)), Answer("-" * 3, 1), None),  # begins before the window
        (offsets_of((2, 4), (4, 6)), Answer("-" * 3, 5), None),  # ends after the window
        (offsets_of((0, 2), (5, 6)), Answer("--", 3), None),  # characters that the tokenizer drops
        (offsets_of(), Answer("-", 0), None),
    ],
)
def test_tokens_of_an_answer(offsets: np.ndarray, answer: Answer, span: tuple[int, int] | None) -> None:
    assert find_token_span(offsets, answer) == span


@given(words=st.lists(st.text("abドद北京 ", min_size=1, max_size=9), min_size=1, max_size=20), data=st.data())
def test_some_window_holds_an_answer_that_is_shorter_than_the_stride(words: list[str], data: st.DataObject) -> None:
    context = " ".join(words)
    start = data.draw(st.sampled_from([i for i, c in enumerate(context) if c != " "] or [None]))
    if start is None:
        return
    text = context[start : start + data.draw(st.integers(1, 4))].rstrip()
    windows = build(Question("q", "What?", context, (Answer(text, start),), 0, None), max_length=40, stride=16)
    texts = [labelled_text(windows, window, context) for window in range(len(windows))]
    assert any(found is not None and text in found for found in texts)


@needs_xquad
def test_real_answers_in_every_script_are_found_in_their_windows() -> None:
    for questions in read_xquad(XQUAD_FOLDER, ["ar", "zh", "th", "hi", "de"]).values():
        # The stride is 128 tokens, here of a letter or more: some window holds all of a shorter answer.
        chosen = [question for question in questions[::40] if len(question.answers[0].text) < 100]
        windows = build_windows(chosen, TOKENIZER, WindowSettings(384, 128))
        found = set()
        for window, index in enumerate(windows.questions.tolist()):
            text = labelled_text(windows, window, chosen[index].context)
            if text is not None:
                found.add(index)
                assert chosen[index].answers[0].text.strip() in text
        assert len(found) == len(chosen) > 20
