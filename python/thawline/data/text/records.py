"""Questions over a context, and pairs of sentences: what every reader of text data returns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import msgspec

from thawline.errors import UserError

PairLabel = Literal["entailment", "neutral", "contradiction"]

PAIR_LABELS: tuple[PairLabel, ...] = get_args(PairLabel)
"""The order in which a new classification head numbers them."""

NO_AGREED_LABEL = "-"
"""What MultiNLI and XNLI print where the annotators disagreed; such pairs are not used."""


class Answer(NamedTuple):
    """`context[start : start + len(text)] == text`; `start` counts Unicode code points."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question with at least one gold answer, each a span of `context`.

    `context` is exactly what the file holds: a leading U+FEFF counts in the answers' positions. `article` is the
    position of its article in the file (0, 1, ...), None where the source does not say.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    article: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    premise: str
    hypothesis: str
    label: PairLabel


def parse_pair_label(name: str) -> PairLabel | None:
    """The label of that name in any case; XNLI's machine translations write "contradictory". None: no such label."""
    lowered = name.strip().lower()
    if lowered == "contradictory":
        return "contradiction"
    return lowered if lowered in PAIR_LABELS else None


def check_questions(questions: Sequence[Question], places: Sequence[str]) -> None:
    """`places[i]` says where `questions[i]` stands, for people.

    Raises UserError: `wrong_data` for none at all, an id that comes twice, and an answer that is not in its context.
    """
    assert len(questions) == len(places)
    seen: dict[str, str] = {}
    for question, place in zip(questions, places, strict=True):
        if question.id in seen:
            raise wrong_questions(f"the question id {question.id} comes twice: {seen[question.id]}; {place}")
        seen[question.id] = place
        if not question.answers:
            raise wrong_questions(f"{place} has no answer, as only SQuAD 2.0 allows")
        for answer in question.answers:
            _check_answer(question.context, answer, place)


def _check_answer(context: str, answer: Answer, place: str) -> None:
    text, start = answer
    if text == "":
        raise wrong_questions(f"{place} has an empty answer")
    found = context[start : start + len(text)] if start >= 0 else ""
    if found != text:
        raise wrong_questions(
            f"{place}: the answer {_quote(text)} is not at character {start} of its context, where {_quote(found)} is"
        )


def wrong_questions(message: str) -> UserError:
    return UserError(
        "wrong_data",
        message,
        hint="replace it by the published file; `answer_start` counts the context's characters, a leading U+FEFF too",
    )


def records_sha256(records: Iterable[Question] | Iterable[Pair]) -> str:
    """SHA-256, in hex, over all fields of the records in their order."""
    digest = hashlib.sha256()
    encoder = msgspec.json.Encoder()
    for record in records:
        digest.update(encoder.encode(record) + b"\n")
    return digest.hexdigest()


def _quote(text: str) -> str:
    # ascii: what differs is often invisible, such as U+FEFF or a no-break space.
    return ascii(text if len(text) <= 60 else text[:60] + "...")
