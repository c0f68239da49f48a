import pytest
import torch

from thawline.errors import UserError
from thawline.probes import ProbeSet, probe_indices


def test_the_points_are_a_prefix_of_one_seeded_permutation():
    assert torch.equal(probe_indices(100, 30, seed=4), probe_indices(100, 100, seed=4)[:30])
    assert sorted(probe_indices(100, 100, seed=4).tolist()) == list(range(100))
    assert not torch.equal(probe_indices(100, 30, seed=4), probe_indices(100, 30, seed=5))


def test_draw_keeps_inputs_and_labels_together_in_batches():
    inputs = torch.arange(20.0).view(20, 1)
    drawn = ProbeSet.draw(inputs, torch.arange(20), points=7, batch_size=3, seed=1)
    assert drawn.sizes == (3, 3, 1)
    assert torch.cat([labels for _, labels in drawn.batches]).tolist() == probe_indices(20, 7, seed=1).tolist()
    assert all(torch.equal(values[:, 0].long(), labels) for values, labels in drawn.batches)


def test_more_points_than_data_is_the_users_mistake():
    with pytest.raises(UserError, match=r"probe.points is 21, but the training set has 20 points"):
        probe_indices(20, 21, seed=0)
