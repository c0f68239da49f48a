import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.probes.feature_spectrum import feature_spectrum, largest_of_rank_one_update


def reference(features):
    """(lambda_max, rank, numerical rank, entropy rank) by numpy, from two decompositions."""
    features = features.astype(np.float64)
    points = len(features)
    lambda_max = np.linalg.svd(features, compute_uv=False)[0] ** 2 / points
    values = np.linalg.svd(features - features.mean(axis=0), compute_uv=False)
    held = np.cumsum(values**2) / np.sum(values**2)
    numerical_rank = np.sum(values > values[0] * max(features.shape) * np.finfo(np.float32).eps)
    shares = values[values > 0] / values.sum()
    return lambda_max, np.argmax(held >= 0.99) + 1, numerical_rank, np.exp(-np.sum(shares * np.log(shares)))


@pytest.mark.parametrize("offset", [0.0, 0.3, 20.0])
@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (12, 12)])
def test_agrees_with_numpy_for_tall_and_wide_features_with_and_without_mean(shape, offset):
    generator = np.random.default_rng(0)
    features = generator.normal(size=shape) * np.geomspace(1, 1e-2, shape[1]) + offset * generator.normal(size=shape[1])
    found = feature_spectrum(torch.from_numpy(features.astype(np.float32)))
    lambda_max, rank, numerical_rank, entropy_rank = reference(features.astype(np.float32))
    assert found.lambda_max == pytest.approx(lambda_max, rel=1e-9)
    assert (found.rank, found.numerical_rank) == (rank, numerical_rank)
    assert found.entropy_rank == pytest.approx(entropy_rank, rel=1e-6)


def test_ranks_of_features_in_a_known_subspace():
    """Three orthogonal directions of variances 98.5, 1 and 0.5 in 10 dimensions, around a mean."""
    directions = torch.eye(10)[:3] * torch.tensor([98.5, 1.0, 0.5]).sqrt().unsqueeze(1)
    features = torch.cat([directions, -directions]) + 5.0
    found = feature_spectrum(features)
    assert (found.rank, found.numerical_rank) == (2.0, 3.0)
    assert 1 < found.entropy_rank < 3
    equal = feature_spectrum(torch.cat([torch.eye(6), -torch.eye(6)]))
    assert (equal.rank, equal.numerical_rank) == (6.0, 6.0)
    assert equal.entropy_rank == pytest.approx(6)


def test_features_that_are_all_the_same_have_an_eigenvalue_and_no_rank():
    found = feature_spectrum(torch.full((6, 4), 0.1))
    assert found.lambda_max == pytest.approx(0.04)
    assert (found.rank, found.numerical_rank, found.entropy_rank) == (0.0, 0.0, 0.0)
    dead = feature_spectrum(torch.zeros(6, 4))
    assert (dead.lambda_max, dead.rank) == (0.0, 0.0)


def test_features_that_are_not_finite_have_no_spectrum():
    found = feature_spectrum(torch.tensor([[1.0, math.inf], [0.0, 1.0]]))
    assert all(math.isnan(value) for value in vars(found).values())


vectors = st.integers(1, 6).flatmap(
    lambda size: st.tuples(*[st.lists(st.floats(-10, 10), min_size=size, max_size=size) for _ in range(2)])
)


@given(vectors)
def test_a_rank_one_update_has_the_largest_eigenvalue_of_the_dense_matrix(pair):
    eigenvalues, update = (torch.tensor(values, dtype=torch.float64) for values in pair)
    expected = float(torch.linalg.eigvalsh(torch.diag(eigenvalues) + torch.outer(update, update))[-1])
    assert largest_of_rank_one_update(eigenvalues, update) == pytest.approx(expected, rel=1e-9, abs=1e-9)
