import pytest
import torch
from torch.nn import functional

from thawline.probes import LabelledObjective, LinearHeadObjective
from thawline.probes.objective import batch_size, micro_batches, slice_batch


def test_classification_loss_is_cross_entropy_per_example(network, points, objective):
    network.eval()
    logits = objective.logits(network, points)[0]
    expected = functional.cross_entropy(logits.double(), points[1], reduction="none")
    torch.testing.assert_close(objective.loss(network, points), expected, rtol=1e-14, atol=0)


def test_logits_loss_takes_leading_dimensions(points, objective):
    logits = torch.randn(4, 13, 5, generator=torch.Generator().manual_seed(0))
    together = objective.logits_loss(logits, points)
    assert together.shape == (4, 13)
    assert torch.equal(together[2], objective.logits_loss(logits[2], points))


def test_classification_offers_labels_and_its_linear_head(network, objective):
    assert isinstance(objective, LabelledObjective)
    assert isinstance(objective, LinearHeadObjective)
    assert objective.head(network) is network.fc


def test_batches_of_any_structure_are_sliced_by_example():
    batch = {"ids": torch.arange(6).view(3, 2), "pair": (torch.arange(3), [torch.arange(3, 6)])}
    assert batch_size(batch) == 3
    part = slice_batch(batch, 1, 3)
    assert part["ids"].tolist() == [[2, 3], [4, 5]]
    assert part["pair"][1][0].tolist() == [4, 5]
    assert isinstance(part["pair"], tuple)


@pytest.mark.parametrize(("size", "sizes"), [(64, [64, 64, 28]), (128, [128, 28]), (200, [156])])
def test_micro_batches_are_of_the_size_asked_for_and_in_order(size, sizes):
    parts = micro_batches((torch.arange(156), torch.arange(156)), size)
    assert [batch_size(part) for part in parts] == sizes
    assert torch.equal(torch.cat([labels for _, labels in parts]), torch.arange(156))
