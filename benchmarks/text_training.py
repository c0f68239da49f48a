"""An epoch of question answering: batches of similar lengths against `Trainer`, which pads all to the maximum.

An epoch is the same windows on both sides, so that the ratio of seconds is that of real tokens a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.baseline_text_training import PaddedWindows, TrainerTraining
from benchmarks.rows import Row, Target, compared
from benchmarks.settings import BenchmarkSettings
from benchmarks.text_inputs import TextInputs
from benchmarks.timing import Action, take_turns
from thawline.data.text.batches import TrainingBatches
from thawline.data.text.windows import QuestionWindows, WindowSettings
from thawline.probes.text_objective import QuestionAnsweringObjective
from thawline.steering.freezing import count_trainable, trainable_sha256
from thawline.trainers.optimizers import build_adamw, clip_gradients

PART = "text"
# The customary windows of SQuAD, with the example's batches; and those of the preset for a CPU.
WINDOWS = {"SQuAD": WindowSettings(384, 128), "xquad-small": WindowSettings(128, 64)}
TARGETS = {"SQuAD": Target(at_least=1.3)}
BATCH_SIZE = 8
# Both sides: the default of Trainer.
LEARNING_RATE, MAX_GRADIENT_NORM = 5e-5, 1.0


def rows(settings: BenchmarkSettings, inputs: TextInputs) -> Iterator[Row]:
    count = settings.points or (12 if settings.quick else 64)
    rounds = settings.rounds_or(3)
    for name, window in WINDOWS.items():
        windows = inputs.windows(count, window)
        ours = TextTraining(inputs, windows, device=settings.device)
        theirs = inputs.build(settings.device).model
        assert trainable_sha256(ours.model) == trainable_sha256(theirs)
        padded = PaddedWindows(windows, inputs.tokenizer.pad_id, window.max_length)
        with TemporaryDirectory() as folder:
            trainer = TrainerTraining(
                theirs, padded, batch_size=BATCH_SIZE, device=settings.device, folder=Path(folder)
            )
            sides: dict[str, Action] = {"thawline": ours.epoch, "Trainer, padded to the maximum": trainer.epoch}
            taken = take_turns(sides, rounds, settings.clock)
        assert trainable_sha256(ours.model) == trainable_sha256(theirs)
        more = {"length": window.max_length, "stride": window.stride, "windows": len(windows), "batch": BATCH_SIZE}
        yield compared(
            "speedup",
            PART,
            f"real tokens a second in training, windows of {name}",
            taken,
            TARGETS.get(name),
            settings.described_without_width(rounds, **inputs.described, **more),
            notes(windows, ours, taken, window.max_length),
        )


class TextTraining:
    """The updates of thawline's text trainer, without its session: all adapters and the head train."""

    def __init__(self, inputs: TextInputs, windows: QuestionWindows, *, device: torch.device) -> None:
        self.model = inputs.build(device).model
        self.batches = TrainingBatches(windows.tokens.lengths, batch_size=BATCH_SIZE, seed=0)
        self._windows = windows
        self._pad_id = inputs.tokenizer.pad_id
        self._device = device
        self._objective = QuestionAnsweringObjective()
        trainable = {name for name, parameter in self.model.named_parameters() if parameter.requires_grad}
        self._optimizer = build_adamw(self.model, LEARNING_RATE, weight_decay=0.0, trained=trainable)
        self._update = 0

    def epoch(self) -> None:
        for _ in range(self.batches.updates_per_epoch):
            self._update += 1
            collated = self._windows.collate(self.batches.batch(self._update), pad_id=self._pad_id)
            batch = {name: values.to(self._device) for name, values in collated.items()}
            self._optimizer.zero_grad(set_to_none=True)
            self._objective.loss(self.model, batch).mean().backward()  # type: ignore[no-untyped-call]
            clip_gradients(self._optimizer, MAX_GRADIENT_NORM)
            self._optimizer.step()


def notes(windows: QuestionWindows, ours: TextTraining, taken: dict[str, list[float]], max_length: int) -> list[str]:
    """Speeds, and the share of padding in what each side computes."""
    lengths = windows.tokens.lengths
    real = int(lengths.sum())
    updates = range(1, ours.batches.updates_per_epoch + 1)
    epoch = [lengths[ours.batches.batch(update)] for update in updates]
    computed = [sum(len(batch) * int(batch.max()) for batch in epoch), len(windows) * max_length]
    speeds = [f"{real / sorted(seconds)[len(seconds) // 2]:.0f}" for seconds in taken.values()]
    shares = [f"{1 - real / tokens:.0%}" for tokens in computed]
    return [
        f"real tokens a second {' and '.join(speeds)}; padding {' and '.join(shares)} of what is computed",
        f"{real} real tokens an epoch; both sides train the same {count_trainable(ours.model)} parameters",
    ]
