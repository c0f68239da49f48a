"""Questions with overlapping windows of their contexts, as token sequences for extractive question answering.

`<s> question </s></s> part of the context </s>`: the customary form for XLM-R, 384 tokens with a stride of 128.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from thawline.data.text.records import Answer, Question
from thawline.data.text.token_rows import TokenRows
from thawline.data.text.tokenization import PairTokenizer
from thawline.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Encoding

NOT_CONTEXT = -1
"""Offset of a token that is not of the context: special tokens and the question's."""


class WindowSettings(NamedTuple):
    """In tokens. `stride` is what neighbouring windows of a context share."""

    max_length: int = 384
    stride: int = 128


@dataclass(frozen=True)
class QuestionWindows:
    """The windows of all questions, those of one question together and in the order of its context.

    offsets int32 [tokens, 2]: first character of each token in its context and the one after its last, or NOT_CONTEXT
    twice. questions int64 [windows]: index of each window's question. start_positions, end_positions int64 [windows]:
    first and last token of the question's first answer, counted in the window; both are the CLS token's where the
    window does not hold all of that answer.
    """

    tokens: TokenRows
    offsets: Tensor
    questions: Tensor
    start_positions: Tensor
    end_positions: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def inputs(self, windows: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]:
        """Inputs of a transformers question answering model for the windows int64 [n], padded as `TokenRows.pad`."""
        return self.tokens.pad(windows, pad_id=pad_id, multiple_of=multiple_of)._asdict()

    def collate(self, windows: Tensor, *, pad_id: int, multiple_of: int = 1) -> dict[str, Tensor]:
        """The inputs, and what such a model learns: the first and the last token of the answer, int64 [n] each."""
        return {
            **self.inputs(windows, pad_id=pad_id, multiple_of=multiple_of),
            "start_positions": self.start_positions[windows],
            "end_positions": self.end_positions[windows],
        }


def build_windows(questions: Sequence[Question], tokenizer: PairTokenizer, settings: WindowSettings) -> QuestionWindows:
    """Raises UserError: `wrong_data` for a question that leaves no room for the context."""
    # Stray spaces before a question would only make tokens; contexts stay as they are, since answers count in them.
    pairs = [(question.question.lstrip(), question.context) for question in questions]
    _check_room(questions, [question for question, _ in pairs], tokenizer, settings)
    max_length, stride = settings
    encoded = tokenizer.encode(pairs, max_length=max_length, stride=stride, truncation="only_second")
    rows: list[npt.NDArray[np.int32]] = []
    all_offsets: list[npt.NDArray[np.int32]] = []
    indices: list[int] = []
    spans: list[tuple[int, int]] = []
    for index, (question, encodings) in enumerate(zip(questions, encoded, strict=True)):
        for encoding in encodings:
            ids, offsets = np.asarray(encoding.ids, np.int32), _context_offsets(encoding)
            cls_position = int(np.flatnonzero(ids == tokenizer.cls_id)[0])
            rows.append(ids)
            all_offsets.append(offsets)
            indices.append(index)
            spans.append(find_token_span(offsets, question.answers[0]) or (cls_position, cls_position))
    positions = torch.tensor(spans, dtype=torch.int64).reshape(-1, 2)
    return QuestionWindows(
        tokens=TokenRows.from_arrays(rows),
        offsets=torch.from_numpy(np.concatenate([np.empty((0, 2), np.int32), *all_offsets])),
        questions=torch.tensor(indices, dtype=torch.int64),
        start_positions=positions[:, 0].contiguous(),
        end_positions=positions[:, 1].contiguous(),
    )


def find_token_span(offsets: npt.NDArray[np.int32], answer: Answer) -> tuple[int, int] | None:
    """First and last token, inclusive, that hold a character of the answer; None unless the window holds all of it.

    offsets [L, 2] as in QuestionWindows. An answer may begin or end inside a token: then all of the token is taken.
    """
    first_character, after_last = answer.start, answer.start + len(answer.text)
    context = np.flatnonzero(offsets[:, 0] != NOT_CONTEXT)
    if context.size == 0 or offsets[context[0], 0] > first_character or offsets[context[-1], 1] < after_last:
        return None
    overlapping = np.flatnonzero((offsets[:, 0] < after_last) & (offsets[:, 1] > first_character))
    # No token at all: the tokenizer dropped all characters of the answer, such as a lone control character.
    return (int(overlapping[0]), int(overlapping[-1])) if overlapping.size else None


def _context_offsets(encoding: Encoding) -> npt.NDArray[np.int32]:
    """int32 [L, 2]."""
    offsets = np.asarray(encoding.offsets, np.int32)
    is_context = np.array([sequence == 1 for sequence in encoding.sequence_ids], bool)
    offsets[~is_context] = NOT_CONTEXT
    return offsets


def _check_room(
    questions: Sequence[Question], texts: list[str], tokenizer: PairTokenizer, settings: WindowSettings
) -> None:
    """Windows must advance: each has to hold more of the context than it shares with the next."""
    limit = settings.max_length - tokenizer.count_special_tokens() - settings.stride - 1
    for question, num_tokens in zip(questions, tokenizer.count_tokens(texts), strict=True):
        if num_tokens > limit:
            raise UserError(
                "wrong_data",
                f"question {question.id} has {num_tokens} tokens, but windows of {settings.max_length} tokens with a "
                f"stride of {settings.stride} leave it at most {limit}",
                hint="use longer windows or a smaller stride, or shorten the question",
            )
