"""A training script of one's own, small: `accumulating_script.py CHECKPOINT`, under `npx thawline attach`.

AdamW, dropout, and gradients accumulated over four batches, of which the last is smaller. It goes on from its own
checkpoint, which is whole or absent, and holds everything that its next update depends on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

import thawline

NUM_UPDATES = 60
NUM_CLASSES = 3
BATCH_SIZES = (16, 16, 16, 8)
CHECKPOINT_EVERY = 8
BLOCKS = [("third", r"^6\."), ("second", r"^3\."), ("first", r"^0\.")]
HEAD = r"^9\."


def build_model() -> nn.Sequential:
    layers = [part for _ in range(3) for part in (nn.Linear(8, 8), nn.Tanh(), nn.Dropout(0.1))]
    return nn.Sequential(*layers, nn.Linear(8, NUM_CLASSES))


def draw_points() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(NUM_CLASSES, (256,), generator=generator)
    return torch.randn(256, 8, generator=generator) + 2 * functional.one_hot(labels, 8), labels


def main(checkpoint: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_model()
    inputs, labels = draw_points()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    saved = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    probe = thawline.Probe(list(zip(inputs[:64].split(32), labels[:64].split(32), strict=True)))

    def make_update() -> Tensor:
        optimizer.zero_grad()
        total = torch.zeros(())
        for size in BATCH_SIZES:
            batch = torch.randint(len(labels), (size,))
            loss = functional.cross_entropy(model(inputs[batch]), labels[batch], reduction="sum") / sum(BATCH_SIZES)
            loss.backward()
            total += loss.detach()
        optimizer.step()
        return total

    with thawline.attach(
        model,
        optimizer,
        blocks=BLOCKS,
        head=HEAD,
        probe=probe,
        num_updates=NUM_UPDATES,
        resumed_from=0 if saved is None else saved["step"],
    ) as run:
        if saved is not None:
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            run.load_state_dict(saved["thawline"])
            torch.set_rng_state(saved["random"])
        while run.step < NUM_UPDATES:
            run.before_update()
            run.after_update(make_update())
            if run.step % CHECKPOINT_EVERY == 0:
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": run.step}
                save(checkpoint, state | {"random": torch.get_rng_state(), "thawline": run.state_dict()})


def save(checkpoint: Path, state: dict[str, object]) -> None:
    """Replaces the checkpoint, all of it or not at all."""
    unfinished = checkpoint.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(checkpoint)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
