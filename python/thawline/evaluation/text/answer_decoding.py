"""From start and end logits over windows to one answer text a question.

The customary decoding: of all spans between the `n_best` best starts and ends of a window, the one with the largest sum
of logits, and of all windows of a question the best one. Decision: what cannot be an answer is excluded before the best
starts and ends are taken, not after, so that a model that prefers question tokens still answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from thawline.data.text.records import Question
from thawline.data.text.windows import NOT_CONTEXT, QuestionWindows

Logits = npt.NDArray[np.float64]


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a context, with the sum of the two logits."""

    score: float
    start: int
    end: int


class DecodingSettings(NamedTuple):
    n_best: int = 20
    max_answer_tokens: int = 30


def decode_spans(
    windows: QuestionWindows,
    indices: Tensor,
    start_logits: Tensor,
    end_logits: Tensor,
    settings: DecodingSettings = DecodingSettings(),  # noqa: B008
) -> list[Span | None]:
    """The best span of each window int64 [n] of a batch, from its logits [n, L]; None where there is none.

    L may be more than a window's length: what lies beyond is padding and never looked at.
    """
    assert start_logits.shape == end_logits.shape
    spans = []
    starts, ends = (logits.detach().cpu().double().numpy() for logits in (start_logits, end_logits))
    for row, window in enumerate(indices.tolist()):
        offsets = windows.offsets[windows.tokens.slice_of(window)].numpy()
        length = len(offsets)
        spans.append(_best_span(starts[row, :length], ends[row, :length], offsets, settings))
    return spans


def choose_answers(
    questions: Sequence[Question], windows: QuestionWindows, spans: Sequence[Span | None]
) -> dict[str, str]:
    """Answers by question id; `spans` holds one entry a window. No span in any window: the empty text.

    Of equally good spans the one in the earliest window wins.
    """
    assert len(spans) == len(windows)
    best: dict[int, Span] = {}
    for index, span in zip(windows.questions.tolist(), spans, strict=True):
        if span is not None and (index not in best or span.score > best[index].score):
            best[index] = span
    return {
        question.id: question.context[best[index].start : best[index].end] if index in best else ""
        for index, question in enumerate(questions)
    }


def _best_span(
    start_logits: Logits, end_logits: Logits, offsets: npt.NDArray[np.int32], settings: DecodingSettings
) -> Span | None:
    """logits [L], offsets [L, 2]. Of equally good spans the one that starts first wins, then the shortest."""
    is_context = offsets[:, 0] != NOT_CONTEXT
    starts = _best_positions(start_logits, is_context, settings.n_best)
    ends = _best_positions(end_logits, is_context, settings.n_best)
    num_tokens = ends[None, :] - starts[:, None] + 1
    scores = start_logits[starts][:, None] + end_logits[ends][None, :]
    scores[(num_tokens < 1) | (num_tokens > settings.max_answer_tokens)] = -np.inf
    if not np.isfinite(scores).any():
        return None
    start, end = np.unravel_index(scores.argmax(), scores.shape)
    return Span(float(scores[start, end]), int(offsets[starts[start], 0]), int(offsets[ends[end], 1]))


def _best_positions(logits: Logits, is_context: npt.NDArray[np.bool_], n_best: int) -> npt.NDArray[np.int64]:
    """The context positions with the largest logits, in ascending order; ties at the edge go to the first ones.

    Logits that are not finite are no candidates: minus infinity marks what a model masked.
    """
    candidates = np.flatnonzero(is_context & np.isfinite(logits))
    by_logit = np.argsort(-logits[candidates], kind="stable")[:n_best]
    return np.sort(candidates[by_logit])
