"""Frozen BatchNorm: what tracks, what is held, and what calibration leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from thawline.steering.batch_norm import BatchNormPolicy, FrozenBatchNorm, batch_norm_layers, calibrate

BATCHES = 5


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)
        )


def batches(update: int = 1) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(update)
    for _ in range(BATCHES):
        yield torch.randn(8, 1, 9, 9, generator=generator) * 2 + 1


def policy(model: nn.Module, frozen: FrozenBatchNorm, *, recalibrates: bool = False, start: int = 1) -> BatchNormPolicy:
    return BatchNormPolicy(model, frozen, calibration_inputs=batches, recalibrates=recalibrates, start=start)


def statistics(model: nn.Module) -> list[Tensor]:
    return [buffer.clone() for buffer in model.buffers()]


def unchanged(before: list[Tensor], model: nn.Module) -> bool:
    return all(torch.equal(old, new) for old, new in zip(before, model.buffers(), strict=True))


def freeze(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.requires_grad_(False)


def test_calibration_averages_the_batch_statistics_of_the_first_layer() -> None:
    model = network().train()
    calibrate(model, batch_norm_layers(model), batches())
    with torch.no_grad():
        inputs = [model[0](batch) for batch in batches()]
    layer = model[1]
    torch.testing.assert_close(layer.running_mean, torch.stack([x.mean((0, 2, 3)) for x in inputs]).mean(0))
    torch.testing.assert_close(layer.running_var, torch.stack([x.var((0, 2, 3)) for x in inputs]).mean(0))
    assert layer.num_batches_tracked == BATCHES


def test_calibration_leaves_modes_momentum_gradients_and_random_state() -> None:
    model = network().train()
    model[1].eval()
    state = torch.get_rng_state()
    calibrate(model, batch_norm_layers(model)[:1], batches())
    assert [layer.momentum for layer in batch_norm_layers(model)] == [0.1, 0.1]
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_calibration_leaves_the_statistics_of_other_layers() -> None:
    model = network().train()
    other = batch_norm_layers(model)[1]
    before = other.running_mean.clone(), other.num_batches_tracked.clone()
    calibrate(model, batch_norm_layers(model)[:1], batches())
    assert torch.equal(other.running_mean, before[0])
    assert torch.equal(other.num_batches_tracked, before[1])


@pytest.mark.parametrize(("frozen", "moves"), [("track", True), ("hold", False), ("calibrate", False)])
def test_only_tracking_layers_move_while_they_are_frozen(frozen: FrozenBatchNorm, moves: bool) -> None:
    model = network().train()
    freeze(model)
    policy(model, frozen).apply(1, first=True)
    before = statistics(model)
    model(next(batches(9)))
    assert unchanged(before, model) is not moves


@pytest.mark.parametrize("frozen", ["hold", "calibrate"])
def test_a_released_layer_tracks_again_and_the_others_stay_held(frozen: FrozenBatchNorm) -> None:
    model = network().train()
    freeze(model)
    chosen = policy(model, frozen)
    chosen.apply(1, first=True)
    for parameter in model[4].parameters():
        parameter.requires_grad_(True)
    chosen.apply(7, first=False)
    assert [layer.training for layer in batch_norm_layers(model)] == [False, True]
    assert model[4].momentum == 0.1


def test_statistics_are_calibrated_before_update_1_and_not_when_an_attempt_resumes() -> None:
    fresh = statistics(network())
    for update, stays in ((31, True), (1, False)):
        model = network().train()
        freeze(model)
        policy(model, "calibrate").apply(update, first=True)
        assert unchanged(fresh, model) is stays


def train_briefly(model: nn.Module) -> list[Tensor]:
    """Running statistics after three batches in train mode."""
    for update in (1, 2, 3):
        model(next(batches(update)))
    return statistics(model)


def test_before_a_later_start_all_layers_track_and_hold_keeps_what_they_have_by_then() -> None:
    model = network().train()
    chosen = policy(model, "hold", start=4)
    chosen.apply(1, first=True)
    fresh = statistics(model)
    tracked = train_briefly(model)
    assert all(not torch.equal(old, new) for old, new in zip(fresh, tracked, strict=True))

    freeze(model)
    chosen.apply(4, first=False)
    model(next(batches(4)))
    assert unchanged(tracked, model)


@pytest.mark.parametrize("first", [False, True], ids=["undisturbed", "resumed before that very update"])
def test_a_later_start_calibrates_there_whoever_comes_to_it(first: bool) -> None:
    model = network().train()
    chosen = policy(model, "calibrate", start=4)
    if not first:
        chosen.apply(1, first=True)
    train_briefly(model)
    expected = network().train()
    calibrate(expected, batch_norm_layers(expected), batches(4))

    freeze(model)
    chosen.apply(4, first=first)
    assert unchanged(statistics(expected), model)
    held = statistics(model)
    model(next(batches(4)))
    assert unchanged(held, model)


def test_an_attempt_that_is_resumed_after_a_later_start_is_not_calibrated_again() -> None:
    model = network().train()
    tracked = train_briefly(model)
    freeze(model)
    policy(model, "calibrate", start=3).apply(4, first=True)
    assert unchanged(tracked, model)


def test_a_release_in_the_update_of_the_start_leaves_what_was_calibrated_there() -> None:
    """With k = 1 the first block is unfrozen in the very update in which the others are frozen."""
    model = network().train()
    drawn: list[int] = []

    def counted(update: int) -> Iterator[Tensor]:
        drawn.append(update)
        return batches(update)

    chosen = BatchNormPolicy(model, "calibrate", calibration_inputs=counted, recalibrates=False, start=4)
    freeze(model)
    chosen.apply(4, first=False)
    for parameter in model[4].parameters():
        parameter.requires_grad_(True)
    chosen.apply(4, first=False)
    assert drawn == [4]
    assert [layer.training for layer in batch_norm_layers(model)] == [False, True]


@pytest.mark.parametrize("recalibrates", [False, True])
def test_a_release_below_frozen_layers_calibrates_them_anew(recalibrates: bool) -> None:
    model = network().train()
    freeze(model)
    chosen = policy(model, "calibrate", recalibrates=recalibrates)
    chosen.apply(1, first=True)
    for parameter in [*model[0].parameters(), *model[1].parameters()]:
        parameter.requires_grad_(True)
    before = statistics(model)
    chosen.apply(7, first=False)
    assert unchanged(before, model) is not recalibrates
