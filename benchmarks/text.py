"""Question answering: training against Hugging Face's Trainer, and the signals against one forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks.rows import Row
from benchmarks.settings import BenchmarkSettings

PART = "text"


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """None where the packages of the text side are not installed; the other parts do without them."""
    if find_spec("transformers") is None or find_spec("peft") is None:
        print(f"{PART}: left out; `node scripts/bootstrap.mjs --with-text` installs what it needs\n")
        return
    from benchmarks import text_signals, text_training
    from benchmarks.text_inputs import text_inputs

    with text_inputs(settings) as inputs:
        yield from text_training.rows(settings, inputs)
        yield from text_signals.rows(settings, inputs)
