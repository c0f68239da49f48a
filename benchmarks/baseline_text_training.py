"""Training as Hugging Face's question answering example does it: `Trainer`, every window padded to the maximum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.utils import logging

from thawline.data.text.windows import QuestionWindows


class PaddedWindows(Dataset[dict[str, Tensor]]):
    """Each window as tensors of `max_length`: what `padding="max_length"` has made of it before training."""

    def __init__(self, windows: QuestionWindows, pad_id: int, max_length: int) -> None:
        self._examples = windows.collate(torch.arange(len(windows)), pad_id=pad_id, multiple_of=max_length)

    def __len__(self) -> int:
        return len(self._examples["input_ids"])

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: values[index] for name, values in self._examples.items()}


class TrainerTraining:
    """`epoch` is one pass over the windows by `Trainer` with its defaults; only its output is switched off."""

    def __init__(
        self, model: nn.Module, windows: PaddedWindows, *, batch_size: int, device: torch.device, folder: Path
    ) -> None:
        silent: dict[str, Any] = {"report_to": "none", "save_strategy": "no", "disable_tqdm": True}
        arguments = TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=1,
            per_device_train_batch_size=batch_size,
            use_cpu=device.type == "cpu",
            **silent,
        )
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        self._trainer = Trainer(model=model, args=arguments, train_dataset=windows)
        self._trainer.remove_callback(PrinterCallback)

    def epoch(self) -> None:
        self._trainer.train()
