import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.probes.lanczos import largest_eigenpair


def symmetric(eigenvalues, seed):
    """A random rotation of a diagonal matrix, float64."""
    generator = torch.Generator().manual_seed(seed)
    size = len(eigenvalues)
    rotation, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    return rotation @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ rotation.T


def start_of(size):
    return torch.randn(size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


# To three places: below about 1e-150 the squares in a norm vanish.
eigenvalue_lists = st.lists(st.floats(-50, 50).map(lambda value: round(value, 3)), min_size=1, max_size=12)


@given(eigenvalue_lists, st.integers(0, 1000))
def test_the_value_is_the_top_of_the_spectrum_of_any_symmetric_matrix(eigenvalues, seed):
    matrix = symmetric(eigenvalues, seed)
    found = largest_eigenpair(
        lambda v: matrix @ v, start_of(len(eigenvalues)), tolerance=1e-9, max_products=len(eigenvalues)
    )
    scale = max(map(abs, eigenvalues))
    assert found.value == pytest.approx(max(eigenvalues), abs=1e-6 * scale)
    assert found.products <= len(eigenvalues)


def test_the_residual_is_that_of_the_pair_and_bounds_the_error():
    matrix = symmetric([-8.0, *torch.linspace(0, 4, 80).tolist(), 5.0], 3)
    for max_products in (2, 5, 10, 20):
        found = largest_eigenpair(lambda v: matrix @ v, start_of(82), tolerance=0.0, max_products=max_products)
        assert found.products == max_products
        assert found.vector.norm() == pytest.approx(1)
        assert found.residual == pytest.approx(float((matrix @ found.vector - found.value * found.vector).norm()))
        assert found.value <= 5 + 1e-9


def test_single_precision_finds_a_known_spectrum_to_its_tolerance():
    spectrum = torch.cat([torch.linspace(-1, 1, 397), torch.tensor([3.0, 9.0, 10.0])])
    matrix = symmetric(spectrum.tolist(), 4).float()
    found = largest_eigenpair(lambda v: matrix @ v, start_of(400).float(), tolerance=1e-3, max_products=40)
    assert found.value == pytest.approx(10, rel=1e-4)
    assert found.residual <= 1e-3 * 10
    assert found.products < 40


def test_a_start_near_the_eigenvector_needs_fewer_products():
    matrix = symmetric([*torch.linspace(0, 4, 80).tolist(), 5.0], 5)
    counted = []

    def product(vector):
        counted.append(None)
        return matrix @ vector

    cold = largest_eigenpair(product, start_of(81), tolerance=1e-3, max_products=80)
    assert len(counted) == cold.products
    near = cold.vector + 0.01 * start_of(81) / start_of(81).norm()
    warm = largest_eigenpair(product, near, tolerance=1e-3, max_products=80)
    assert warm.products < cold.products / 2
    assert warm.value == pytest.approx(5, rel=1e-3)


def test_the_zero_operator_and_one_that_is_not_finite():
    zero = largest_eigenpair(torch.zeros_like, start_of(5), tolerance=1e-3, max_products=9)
    assert (zero.value, zero.residual, zero.products) == (0.0, 0.0, 1)
    broken = largest_eigenpair(lambda v: v * math.nan, start_of(5), tolerance=1e-3, max_products=9)
    assert math.isnan(broken.value)
    assert math.isnan(broken.residual)
    assert broken.vector is None
