"""What a boundary costs for each signal, in units of one forward pass over the same windows.

As before k: the head and the top block are trainable, so all layers but one are the same at every boundary, and their
output can be kept. The first boundary, which fills what is kept, is not timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.rows import Row, compared
from benchmarks.settings import BenchmarkSettings
from benchmarks.text_inputs import TextInputs
from benchmarks.timing import Action, take_turns
from thawline.data.text.batches import evaluation_batches
from thawline.data.text.windows import QuestionWindows, WindowSettings
from thawline.probes import PAPER_SIGNALS, Prober, ProbeSet, ProbeSettings
from thawline.probes.text_objective import QuestionAnsweringObjective
from thawline.steering.blocks import HEAD_NAME
from thawline.steering.freezing import apply_trainable

PART = "text"
WINDOW = WindowSettings(128, 64)
PROBE_BATCH_SIZE = 32
OBJECTIVE = QuestionAnsweringObjective()

Batches = list[dict[str, Tensor]]


def rows(settings: BenchmarkSettings, inputs: TextInputs) -> Iterator[Row]:
    points = settings.points or (8 if settings.quick else PROBE_BATCH_SIZE)
    rounds = settings.rounds_or(3)
    encoder = inputs.build(settings.device)
    model = encoder.model.eval()
    apply_trainable(model, encoder.block_map, [HEAD_NAME, *encoder.block_map.trainable_from_start])
    batches = probe_batches(inputs.windows(points, WINDOW), points, inputs.tokenizer.pad_id, settings.device)
    for metric in PAPER_SIGNALS:
        for stages, how in ((encoder.stages, "frozen layers kept"), ((), "frozen layers run again")):
            prober = Prober(
                model, OBJECTIVE, ProbeSet(batches), ProbeSettings(seed=0, micro_batch=settings.micro_batch), stages
            )
            sides: dict[str, Action] = {
                f"{metric} at a boundary": partial(prober.measure, 1, [metric]),
                "one forward pass over the same windows": partial(forward, model, batches),
            }
            more = {"length": WINDOW.max_length, "points": points, "batch": PROBE_BATCH_SIZE}
            yield compared(
                "share",
                PART,
                f"{metric} in forward passes, {how}",
                take_turns(sides, rounds, settings.clock),
                None,
                settings.described_without_width(rounds, **inputs.described, **more),
            )


def probe_batches(windows: QuestionWindows, points: int, pad_id: int, device: torch.device) -> Batches:
    """The first `points` windows in batches of similar length, as the probes of a run have them."""
    lengths = windows.tokens.lengths[:points]
    return [
        {name: values.to(device) for name, values in windows.collate(rows, pad_id=pad_id).items()}
        for rows in evaluation_batches(lengths, PROBE_BATCH_SIZE)
    ]


@torch.no_grad()
def forward(model: nn.Module, batches: Batches) -> None:
    for batch in batches:
        OBJECTIVE.logits(model, batch)
