"""What a trainer keeps of itself: weights, optimizer, the probes' vectors and the training generator, all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from thawline.errors import UserError
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings
from thawline.storage.checkpoint import SavedCheckpoint
from thawline.trainers.resuming import checkpointer, resume
from thawline.wire.protocol import PROTOCOL_VERSION, ResumePoint, Welcome


class Training:
    """A small network with dropout, which draws from the training generator, and a probe at every update."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
        self.batch = (inputs, torch.arange(8) % 2)
        settings = ProbeSettings(seed=0, every=1, tau=2)
        self.prober = Prober(self.model, ClassificationObjective(), ProbeSet([self.batch]), settings)

    def update(self, number: int) -> list[float | None]:
        measured = self.prober.measure(number, ["fisher_trace"])[0]
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(self.model(self.batch[0]), self.batch[1]).backward()
        self.optimizer.step()
        return [measured.value, measured.change_standard_error, measured.span_standard_error]

    def save(self, folder: Path, step: int) -> SavedCheckpoint:
        return checkpointer(folder, self.model, self.optimizer, self.prober)(step)

    def resume(self, folder: Path, point: ResumePoint | None) -> int:
        welcome = Welcome(PROTOCOL_VERSION, str(folder), {}, point)
        return resume(folder, welcome, self.model, self.optimizer, self.prober)


def point_of(saved: SavedCheckpoint, folder: Path, **changed: str) -> ResumePoint:
    fields = {"path": str(saved.path.relative_to(folder)), "manifest_sha256": saved.manifest_sha256, **changed}
    return ResumePoint(fields["path"], saved.step, fields["manifest_sha256"])


def test_a_resumed_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = Training(seed=1)
    for number in (1, 2, 3):
        whole.update(number)
    saved = whole.save(tmp_path, 3)
    assert saved.path.parent == tmp_path / "checkpoints"
    expected = [whole.update(number) for number in (4, 5)]

    resumed = Training(seed=2)
    assert resumed.resume(tmp_path, point_of(saved, tmp_path)) == 3
    assert [resumed.update(number) for number in (4, 5)] == expected
    assert all(error is not None for error in expected[0])
    for ours, theirs in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_without_a_checkpoint_nothing_changes(tmp_path: Path) -> None:
    training = Training(seed=1)
    before = [parameter.clone() for parameter in training.model.parameters()]
    state = torch.get_rng_state()
    assert training.resume(tmp_path, None) == 0
    assert all(torch.equal(*pair) for pair in zip(training.model.parameters(), before, strict=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_saving_leaves_the_training_generator_alone(tmp_path: Path) -> None:
    training = Training(seed=1)
    training.update(1)
    state = torch.get_rng_state()
    training.save(tmp_path, 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_that_the_journal_does_not_know_is_refused(tmp_path: Path) -> None:
    training = Training(seed=1)
    training.update(1)
    point = point_of(training.save(tmp_path, 1), tmp_path, manifest_sha256="0" * 64)
    with pytest.raises(UserError):
        Training(seed=2).resume(tmp_path, point)
