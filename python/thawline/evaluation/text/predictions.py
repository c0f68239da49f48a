"""Runs an encoder over tokenised test data: longest sequences first, so that batches hold little padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.data.text.batches import evaluation_batches
from thawline.data.text.collation import Collation, Sequences
from thawline.data.text.encoded_pairs import EncodedPairs
from thawline.data.text.records import PairLabel, Question
from thawline.data.text.windows import QuestionWindows
from thawline.eval_mode import eval_mode
from thawline.evaluation.text.answer_decoding import Span, choose_answers, decode_spans
from thawline.evaluation.text.nli_scorer import predict_labels
from thawline.interruption import Interrupted


class Batching(NamedTuple):
    """How sequences become batches; no result depends on it but for rounding."""

    collation: Collation
    batch_size: int


def predict_answers(
    model: nn.Module,
    questions: Sequence[Question],
    windows: QuestionWindows,
    batching: Batching,
    should_stop: Callable[[], bool],
    losses: list[Tensor] | None = None,
) -> dict[str, str]:
    """The text of each question's best span, by question id, in eval mode.

    `losses` are given the loss of each window [n], batch by batch: the mean over its two softmaxes, without padding.

    Raises Interrupted when `should_stop()`, asked before each batch, is true.
    """
    spans: list[Span | None] = [None] * len(windows)
    for rows, inputs, output in _outputs(model, windows, batching, should_stop):
        if losses is not None:
            losses.append(_span_losses(windows, rows, inputs["attention_mask"], output))
        found = decode_spans(windows, rows, output.start_logits, output.end_logits)
        for window, span in zip(rows.tolist(), found, strict=True):
            spans[window] = span
    return choose_answers(questions, windows, spans)


def predict_pairs(
    model: nn.Module,
    pairs: EncodedPairs,
    batching: Batching,
    should_stop: Callable[[], bool],
    losses: list[Tensor] | None = None,
) -> list[PairLabel]:
    """The most probable label of each pair, in eval mode; outputs are numbered as `pairs` are.

    `losses` are given the loss of each pair [n], batch by batch.

    Raises Interrupted like `predict_answers`.
    """
    labels: dict[int, PairLabel] = {}
    for rows, _, output in _outputs(model, pairs, batching, should_stop):
        if losses is not None:
            wanted = pairs.labels[rows].to(output.logits.device)
            losses.append(functional.cross_entropy(output.logits.float(), wanted, reduction="none"))
        labels.update(zip(rows.tolist(), predict_labels(output.logits, pairs.label_names), strict=True))
    return [labels[pair] for pair in range(len(pairs))]


def _outputs(
    model: nn.Module, sequences: Sequences, batching: Batching, should_stop: Callable[[], bool]
) -> Iterator[tuple[Tensor, dict[str, Tensor], Any]]:
    """Batch by batch, the rows int64 [n], what the model is called with and what it says of them."""
    with eval_mode(model), torch.inference_mode():
        for rows in evaluation_batches(sequences.tokens.lengths, batching.batch_size):
            if should_stop():
                raise Interrupted
            inputs = batching.collation.inputs(sequences, rows)
            yield rows, inputs, model(**inputs)


def _span_losses(windows: QuestionWindows, rows: Tensor, attention_mask: Tensor, output: Any) -> Tensor:
    """As a training has it: transformers' own loss would depend on how far a batch is padded."""
    ends = (output.start_logits, windows.start_positions), (output.end_logits, windows.end_positions)
    start, end = (
        functional.cross_entropy(
            logits.float().masked_fill(attention_mask == 0, -torch.inf),
            positions[rows].to(logits.device),
            reduction="none",
        )
        for logits, positions in ends
    )
    return (start + end) / 2
