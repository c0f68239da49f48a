import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thawline.data.vision import augment_batch, batch_indices, normalize, updates_per_epoch


def random_images(num_images: int, channels: int = 3, side: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(num_images)
    return torch.randint(256, (num_images, channels, side, side), dtype=torch.uint8, generator=generator)


def test_mnist_has_469_updates_per_epoch_with_a_short_last_batch():
    assert updates_per_epoch(60_000, 128) == 469
    assert updates_per_epoch(50_000, 128) == 391
    assert len(batch_indices(469, num_examples=60_000, batch_size=128, seed=0)) == 60_000 - 468 * 128
    assert len(batch_indices(470, num_examples=60_000, batch_size=128, seed=0)) == 128


@settings(deadline=None)
@given(
    num_examples=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 5),
)
def test_an_epoch_covers_every_example_once(num_examples, batch_size, seed, epoch):
    per_epoch = updates_per_epoch(num_examples, batch_size)
    batches = [
        batch_indices(epoch * per_epoch + i, num_examples=num_examples, batch_size=batch_size, seed=seed)
        for i in range(1, per_epoch + 1)
    ]
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert torch.cat(batches).sort().values.tolist() == list(range(num_examples))


@settings(deadline=None)
@given(updates=st.lists(st.integers(1, 40), min_size=1, max_size=10), seed=st.integers(0, 100))
def test_an_update_alone_equals_its_place_in_the_sequence(updates, seed):
    sequence = [batch_indices(i, num_examples=23, batch_size=4, seed=seed) for i in range(1, 41)]
    for update in updates:
        assert torch.equal(batch_indices(update, num_examples=23, batch_size=4, seed=seed), sequence[update - 1])


def test_epochs_and_seeds_have_orders_of_their_own():
    first, second = (batch_indices(i, num_examples=100, batch_size=100, seed=0) for i in (1, 2))
    other_seed = batch_indices(1, num_examples=100, batch_size=100, seed=1)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other_seed)


def test_writing_into_a_batch_leaves_later_calls_alone():
    before = batch_indices(1, num_examples=10, batch_size=5, seed=0).clone()
    batch_indices(1, num_examples=10, batch_size=5, seed=0).zero_()
    assert torch.equal(batch_indices(1, num_examples=10, batch_size=5, seed=0), before)


def test_normalize_is_per_channel_on_pixels_in_0_to_1():
    mean, std = (0.1, 0.5, 0.9), (0.2, 0.3, 0.4)
    images = random_images(4)
    expected = (images.double() / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    normalized = normalize(images, mean, std)
    assert normalized.dtype == torch.float32
    torch.testing.assert_close(normalized, expected.float(), rtol=1e-5, atol=1e-6)


def test_normalize_keeps_values_in_another_memory_format():
    images = random_images(4)
    original = images.clone()
    channels_last = normalize(images, (0.5,) * 3, (0.25,) * 3, memory_format=torch.channels_last)
    assert channels_last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(channels_last, normalize(images, (0.5,) * 3, (0.25,) * 3))
    assert torch.equal(images, original)


def is_zero_padded_crop(augmented: torch.Tensor, image: torch.Tensor, padding: int) -> bool:
    padded = torch.nn.functional.pad(image, [padding] * 4)
    side = image.shape[-1]
    shifts = range(2 * padding + 1)
    return any(torch.equal(augmented, padded[:, t : t + side, left : left + side]) for t in shifts for left in shifts)


def test_augmented_images_are_crops_of_the_padded_image_some_mirrored():
    images = random_images(64)
    augmented = augment_batch(images, padding=2, flip=True, seed=0, update=1)
    assert augmented.shape == images.shape
    crops = [is_zero_padded_crop(a, image, 2) for a, image in zip(augmented, images, strict=True)]
    mirrored = [is_zero_padded_crop(a.flip(2), image, 2) for a, image in zip(augmented, images, strict=True)]
    assert all(c or m for c, m in zip(crops, mirrored, strict=True))
    assert 10 < sum(mirrored) < 54


def test_without_flip_nothing_is_mirrored_and_without_padding_nothing_moves():
    images = random_images(32)
    cropped = augment_batch(images, padding=1, flip=False, seed=0, update=1)
    assert all(is_zero_padded_crop(a, image, 1) for a, image in zip(cropped, images, strict=True))
    assert torch.equal(augment_batch(images, padding=0, flip=False, seed=0, update=1), images)


def test_crops_reach_every_offset():
    # One lit pixel in the middle shows where the crop was taken.
    images = torch.zeros(400, 1, 5, 5, dtype=torch.uint8)
    images[:, :, 2, 2] = 1
    places = augment_batch(images, padding=1, flip=False, seed=0, update=1)[:, 0].flatten(1).argmax(dim=1)
    assert set(places.tolist()) == {5 * row + column for row in (1, 2, 3) for column in (1, 2, 3)}


@pytest.mark.parametrize("other", [{"seed": 1, "update": 7}, {"seed": 0, "update": 8}])
def test_augmentation_is_a_function_of_seed_and_update(other):
    images = random_images(32)
    once = augment_batch(images, padding=4, flip=True, seed=0, update=7)
    torch.rand(3)  # the global generator has no say
    assert torch.equal(augment_batch(images, padding=4, flip=True, seed=0, update=7), once)
    assert not torch.equal(augment_batch(images, padding=4, flip=True, **other), once)
