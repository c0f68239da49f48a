import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.data.text.batches import BATCHES_PER_BUCKET, TrainingBatches, epoch_batches, evaluation_batches

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=300).map(torch.tensor)
SEEDS = st.integers(0, 2**32 - 1)


@given(lengths=LENGTHS, batch_size=st.integers(1, 9), seed=SEEDS, epoch=st.integers(0, 5))
def test_an_epoch_has_every_sequence_once(lengths: torch.Tensor, batch_size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(lengths, batch_size=batch_size, seed=seed, epoch=epoch)
    assert len(batches) == TrainingBatches(lengths, batch_size=batch_size, seed=seed).updates_per_epoch
    assert sorted(torch.cat(batches).tolist()) == [*range(len(lengths))]
    assert sorted(len(batch) for batch in batches)[1:] == [batch_size] * (len(batches) - 1)


@given(lengths=LENGTHS, batch_size=st.integers(1, 9), seed=SEEDS, updates=st.lists(st.integers(1, 400), min_size=1))
def test_a_batch_depends_on_no_earlier_call(
    lengths: torch.Tensor, batch_size: int, seed: int, updates: list[int]
) -> None:
    used = TrainingBatches(lengths, batch_size=batch_size, seed=seed)
    for update in updates:
        batch = used.batch(update)
        fresh = TrainingBatches(lengths, batch_size=batch_size, seed=seed).batch(update)
        assert batch.tolist() == fresh.tolist()
        batch.zero_()
        assert used.batch(update).tolist() == fresh.tolist()


def test_updates_run_through_the_epochs() -> None:
    lengths = torch.arange(1, 8)
    batches = TrainingBatches(lengths, batch_size=2, seed=5)
    for epoch in range(3):
        seen = torch.cat([batches.batch(4 * epoch + i) for i in range(1, 5)])
        assert seen.tolist() == torch.cat(epoch_batches(lengths, batch_size=2, seed=5, epoch=epoch)).tolist()


def test_epochs_and_seeds_differ() -> None:
    lengths = torch.ones(64, dtype=torch.int64)
    orders = {
        tuple(torch.cat(epoch_batches(lengths, batch_size=4, seed=seed, epoch=epoch)).tolist())
        for seed, epoch in [(0, 0), (0, 1), (1, 0)]
    }
    assert len(orders) == 3


def test_batches_of_a_bucket_are_sorted_by_length_and_the_batches_shuffled() -> None:
    lengths = torch.randperm(BATCHES_PER_BUCKET * 4, generator=torch.Generator().manual_seed(0)) + 1
    batches = epoch_batches(lengths, batch_size=4, seed=0, epoch=0)
    ranges = [(int(lengths[batch].min()), int(lengths[batch].max())) for batch in batches]
    # One bucket holds all lengths 1, 2, ...: its batches are runs of four of them.
    assert sorted(ranges) == [(i, i + 3) for i in range(1, len(lengths), 4)]
    assert ranges != sorted(ranges)
    assert ranges != sorted(ranges, reverse=True)


@given(lengths=LENGTHS, batch_size=st.integers(1, 9))
def test_evaluation_goes_from_the_longest_to_the_shortest(lengths: torch.Tensor, batch_size: int) -> None:
    batches = evaluation_batches(lengths, batch_size)
    order = torch.cat(batches).tolist()
    assert order == sorted(range(len(lengths)), key=lambda i: (-int(lengths[i]), i))
    assert all(len(batch) == batch_size for batch in batches[:-1])
