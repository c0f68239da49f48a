"""A development set cut from training images: what is in it, and what is left."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.data.development import cut_development
from thawline.data.vision import VisionData
from thawline.errors import UserError


def data_of(labels: torch.Tensor) -> VisionData:
    """Each image holds its own number."""
    images = torch.arange(len(labels)).to(torch.uint8).reshape(-1, 1, 1, 1)
    return VisionData(images, labels, images[:1], labels[:1], int(labels.max()) + 1, (0.5,), (0.5,))


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    share=st.floats(0, 0.999),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_image_is_in_one_of_the_two_and_each_class_gives_its_share(
    counts: list[int], share: float, seed: int
) -> None:
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    num_images = int(share * len(labels))
    rest, development = cut_development(data_of(labels), num_images, seed)
    numbers = torch.cat([rest.train_images, development.images]).flatten()
    assert torch.equal(numbers.sort().values, torch.arange(len(labels)).to(torch.uint8))
    assert torch.equal(rest.train_images.flatten(), rest.train_images.flatten().sort().values)
    assert len(development.labels) == num_images
    for images, taken in ((rest.train_images, rest.train_labels), (development.images, development.labels)):
        assert torch.equal(labels[images.flatten().long()], taken)
    for label, count in enumerate(counts):
        got = int((development.labels == label).sum())
        assert abs(got - count * num_images / len(labels)) <= 1


def test_the_seed_alone_chooses() -> None:
    labels = torch.arange(40) % 4
    torch.manual_seed(1)
    first = cut_development(data_of(labels), 12, seed=3)[1].images
    assert torch.equal(cut_development(data_of(labels), 12, seed=3)[1].images, first)
    assert not torch.equal(cut_development(data_of(labels), 12, seed=4)[1].images, first)


@pytest.mark.parametrize("num_images", [10, 11])
def test_something_must_be_left_to_train_on(num_images: int) -> None:
    with pytest.raises(UserError, match="there are 10 training images") as caught:
        cut_development(data_of(torch.arange(10) % 2), num_images, seed=0)
    assert caught.value.code == "invalid_config"
