import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from text_examples import RIVER, XQUAD_FOLDER, build_tokenizer, make_question, needs_xquad

from thawline.data.text.records import Answer, Question
from thawline.data.text.squad import read_xquad
from thawline.data.text.token_rows import TokenRows
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import NOT_CONTEXT, QuestionWindows, WindowSettings, build_windows
from thawline.evaluation.text.answer_decoding import DecodingSettings, Span, choose_answers, decode_spans
from thawline.evaluation.text.squad_scorer import score_squad

TOKENIZER = PairTokenizer.from_fast(build_tokenizer())


def one_window(is_context: list[bool]) -> QuestionWindows:
    """Token i of the context covers character i."""
    length = len(is_context)
    pairs = [(i, i + 1) if inside else (NOT_CONTEXT, NOT_CONTEXT) for i, inside in enumerate(is_context)]
    return QuestionWindows(
        TokenRows(torch.zeros(length, dtype=torch.int32), torch.tensor([0, length])),
        torch.tensor(pairs, dtype=torch.int32),
        torch.tensor([0]),
        torch.tensor([0]),
        torch.tensor([0]),
    )


def decode(
    is_context: list[bool], starts: list[float], ends: list[float], n_best: int = 20, max_answer_tokens: int = 30
) -> Span | None:
    settings = DecodingSettings(n_best, max_answer_tokens)
    logits = (torch.tensor([starts], dtype=torch.float64), torch.tensor([ends], dtype=torch.float64))
    (span,) = decode_spans(one_window(is_context), torch.tensor([0]), *logits, settings)
    return span


def brute_force(
    is_context: list[bool], starts: list[float], ends: list[float], n_best: int, max_answer_tokens: int
) -> Span | None:
    """All pairs of positions, those outside the n best left out; the first of the best, by start and then by end."""

    def best(logits: list[float]) -> list[int]:
        positions = [i for i, inside in enumerate(is_context) if inside and math.isfinite(logits[i])]
        return sorted(positions, key=lambda i: (-logits[i], i))[:n_best]

    found: Span | None = None
    for start in range(len(is_context)):
        for end in range(start, min(len(is_context), start + max_answer_tokens)):
            if start in best(starts) and end in best(ends):
                score = starts[start] + ends[end]
                if found is None or score > found.score:
                    found = Span(score, start, end + 1)
    return found


# Few different values, so that ties are common.
LOGITS = st.sampled_from([-math.inf, -2.5, -1.0, 0.0, 0.5, 1.0, 3.0])


@given(
    rows=st.lists(st.tuples(st.booleans(), LOGITS, LOGITS), min_size=1, max_size=14),
    n_best=st.integers(1, 15),
    max_answer_tokens=st.integers(1, 6),
)
def test_decoding_is_the_search_over_all_pairs(
    rows: list[tuple[bool, float, float]], n_best: int, max_answer_tokens: int
) -> None:
    columns = ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    assert decode(*columns, n_best, max_answer_tokens) == brute_force(*columns, n_best, max_answer_tokens)


def decode_by_default(starts: list[float], ends: list[float]) -> Span | None:
    logits = torch.tensor([starts], dtype=torch.float64), torch.tensor([ends], dtype=torch.float64)
    (span,) = decode_spans(one_window([True] * len(starts)), torch.tensor([0]), *logits)
    return span


@pytest.mark.parametrize(("num_better", "is_found"), [(19, True), (20, False)])
def test_the_20_best_starts_and_ends_are_looked_at(num_better: int, is_found: bool) -> None:
    """All starts that are better lie behind the one end that is any good, as all better ends lie before the start."""
    wanted = [float(position == 0) for position in range(60)]
    better = [2.0 * (30 <= position < 30 + num_better) for position in range(60)]
    starts = [one + other for one, other in zip(wanted, better, strict=True)]
    only_here = [9.0 * (position == 1) - 50.0 for position in range(60)]
    assert (decode_by_default(starts, only_here) == Span(-40.0, 0, 2)) == is_found
    assert (decode_by_default(only_here[::-1], starts[::-1]) == Span(-40.0, 58, 60)) == is_found


@pytest.mark.parametrize(("num_tokens", "is_found"), [(30, True), (31, False)])
def test_an_answer_has_30_tokens_at_most(num_tokens: int, is_found: bool) -> None:
    starts = [float(position == 0) for position in range(40)]
    ends = [float(position == num_tokens - 1) for position in range(40)]
    assert (decode_by_default(starts, ends) == Span(2.0, 0, num_tokens)) == is_found


def test_the_best_pair_in_the_context_wins() -> None:
    is_context = [False, False, True, True, True, False]
    span = decode(is_context, [9, 9, 0, 2, 1, 9], [9, 9, 5, 0, 1, 9])
    assert span == Span(5, 2, 3)  # 2 + 5 would end before it starts; nothing beats 0 + 5


def test_tokens_that_cannot_answer_take_no_place_among_the_best() -> None:
    assert decode([False] * 5 + [True] * 2, [9] * 5 + [0, 1], [9] * 5 + [0, 1], n_best=1) == Span(2, 6, 7)


def test_an_answer_has_at_most_so_many_tokens() -> None:
    starts, ends = [5.0, 0, 0, 1], [0.0, 0, 0, 5]
    assert decode([True] * 4, starts, ends, max_answer_tokens=4) == Span(10, 0, 4)
    assert decode([True] * 4, starts, ends, max_answer_tokens=3) == Span(6, 3, 4)


@pytest.mark.parametrize(
    ("is_context", "starts", "ends"),
    [
        ([False, False], [1.0, 1], [1.0, 1]),
        ([True, True], [-math.inf, 1], [1, -math.inf]),
        ([True, True], [math.nan, math.nan], [1.0, 1]),
    ],
)
def test_a_window_may_have_no_answer(is_context: list[bool], starts: list[float], ends: list[float]) -> None:
    assert decode(is_context, starts, ends) is None


@given(padding=st.integers(0, 5), seed=st.integers(0, 1000))
def test_padding_is_never_looked_at(padding: int, seed: int) -> None:
    windows = build_windows([make_question(RIVER, "Wien")], TOKENIZER, WindowSettings(60, 10))
    indices = torch.arange(len(windows))
    width = int(windows.tokens.lengths.max())
    generator = torch.Generator().manual_seed(seed)
    starts, ends = torch.randn(2, len(windows), width, generator=generator)
    wide = [torch.cat([logits, torch.full((len(windows), padding), 99.0)], 1) for logits in (starts, ends)]
    for row, length in enumerate(windows.tokens.lengths.tolist()):
        for logits in wide:
            logits[row, length:] = 99.0
    assert decode_spans(windows, indices, *wide) == decode_spans(windows, indices, starts, ends)


def test_the_best_window_answers_and_the_earliest_of_equals() -> None:
    questions = [make_question("Ada built it.", "Ada", id="a"), make_question("Ada built it.", "it", id="b")]
    windows = build_windows([*questions], TOKENIZER, WindowSettings(27, 2))
    first = [i for i, question in enumerate(windows.questions.tolist()) if question == 0]
    assert len(first) >= 2
    spans: list[Span | None] = [None] * len(windows)
    spans[first[0]], spans[first[1]] = Span(1.0, 0, 3), Span(2.0, 4, 9)
    assert choose_answers(questions, windows, spans) == {"a": "built", "b": ""}
    spans[first[0]] = Span(2.0, 0, 3)
    assert choose_answers(questions, windows, spans)["a"] == "Ada"


def certain_logits(windows: QuestionWindows, wanted: list[Answer]) -> tuple[torch.Tensor, torch.Tensor]:
    """1 at the labelled positions of windows that hold the answer, 0 elsewhere."""
    starts = torch.zeros(len(windows), int(windows.tokens.lengths.max()))
    ends = starts.clone()
    rows = (windows.start_positions != 0).nonzero().flatten()
    assert len({*windows.questions[rows].tolist()}) == len(wanted)
    starts[rows, windows.start_positions[rows]] = 1
    ends[rows, windows.end_positions[rows]] = 1
    return starts, ends


def test_labels_read_as_logits_give_the_answers() -> None:
    contexts = [RIVER, RIVER * 4, "A bridge in the city of Ada."]
    questions = [make_question(context, context[10:14], id=f"q{i}") for i, context in enumerate(contexts)]
    windows = build_windows(questions, TOKENIZER, WindowSettings(60, 16))
    logits = certain_logits(windows, [question.answers[0] for question in questions])
    spans = decode_spans(windows, torch.arange(len(windows)), *logits)
    answers = choose_answers(questions, windows, spans)
    for question in questions:
        assert question.answers[0].text.strip() in answers[question.id]


@needs_xquad
def test_labels_of_real_questions_read_as_logits_give_full_scores() -> None:
    for questions in read_xquad(XQUAD_FOLDER, ["en", "de", "es"]).values():
        chosen: list[Question] = [q for q in questions[::30] if len(q.answers[0].text) < 60]
        windows = build_windows(chosen, TOKENIZER, WindowSettings(384, 128))
        logits = certain_logits(windows, [question.answers[0] for question in chosen])
        spans = decode_spans(windows, torch.arange(len(windows)), *logits, DecodingSettings(max_answer_tokens=128))
        assert score_squad(chosen, choose_answers(chosen, windows, spans)).exact_match == 100
