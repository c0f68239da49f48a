import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.probes.labels import (
    class_probabilities,
    importance_sample_labels,
    importance_sampled_gradient,
    invert_cdf,
    label_uncertainty,
    output_gradient,
    sample_labels,
    squared_output_gradient,
)

masses = st.lists(st.floats(0, 10, allow_subnormal=False), min_size=1, max_size=8)
uniforms = st.floats(0, 1, exclude_max=True)
logits = st.lists(st.floats(-60, 60), min_size=2, max_size=6)


@given(masses, uniforms)
def test_invert_cdf_finds_the_class_whose_interval_holds_u(values, uniform):
    tensor = torch.tensor([values], dtype=torch.float64)
    label = int(invert_cdf(tensor, torch.tensor([uniform], dtype=torch.float64)))
    cdf = tensor.cumsum(dim=-1)[0]
    if cdf[-1] > 0:
        assert values[label] > 0
        assert (cdf[label - 1] if label else 0.0) <= uniform * cdf[-1] <= cdf[label]


@given(masses)
def test_invert_cdf_never_leaves_the_possible_classes_at_the_upper_end(values):
    nearly_one = torch.tensor([1 - 2**-53], dtype=torch.float64)
    label = int(invert_cdf(torch.tensor([values], dtype=torch.float64), nearly_one))
    assert 0 <= label < len(values)
    assert values[label] > 0 or max(values) == 0


def test_sampled_labels_have_the_models_frequencies():
    row = torch.tensor([0.3, -1.0, 2.0, 0.0])
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    labels = sample_labels(row.expand(20_000, 4), grid)
    frequencies = torch.bincount(labels, minlength=4) / 20_000
    torch.testing.assert_close(frequencies.double(), row.double().softmax(0), rtol=0, atol=1e-4)


@given(logits)
def test_importance_weights_are_unbiased(values):
    """Summed over labels, q times weight times any function that vanishes with e_y - p gives back p's mean."""
    row = torch.tensor(values, dtype=torch.float64)
    probabilities = row.softmax(0)
    distances = [float(((torch.eye(len(values))[c] - probabilities) ** 2).sum()) for c in range(len(values))]
    masses = probabilities * torch.tensor(distances, dtype=torch.float64)
    # A grid of uniforms visits every class in proportion to q, and tells its weight.
    grid = (torch.arange(4_000, dtype=torch.float64) + 0.5) / 4_000
    labels, weights = importance_sample_labels(row.expand(4_000, -1), grid)
    for label, weight in set(zip(labels.tolist(), weights.tolist(), strict=True)):
        if masses.sum() > 1e-6:
            law = float(masses[label] / masses.sum())
            assert law * weight == pytest.approx(float(probabilities[label]), rel=1e-6, abs=1e-9)


def test_the_weighted_gradient_has_the_same_norm_for_every_label():
    """This is why q is chosen so: at the logits, sampling by importance leaves no variance at all."""
    row = torch.tensor([[2.0, -1.0, 0.5]], dtype=torch.float64)
    for uniform in (0.01, 0.5, 0.99):
        label, weight = importance_sample_labels(row, torch.tensor([uniform], dtype=torch.float64))
        gradient = output_gradient(row, label, weight)
        assert float(gradient.square().sum()) == pytest.approx(float(label_uncertainty(row)), rel=1e-12)


def test_nearly_one_hot_distributions_keep_their_digits():
    gap = 45.0  # p of the unlikely class is 3e-20, far below the rounding of 1 - p
    row = torch.tensor([[0.0, gap]])
    small = torch.tensor(-gap, dtype=torch.float64).exp()
    assert float(label_uncertainty(row)) == pytest.approx(2 * float(small), rel=1e-12)
    label, weight = importance_sample_labels(row, torch.tensor([0.5], dtype=torch.float64))
    squared = float(squared_output_gradient(row, label))
    assert float(weight) * squared == pytest.approx(2 * float(small), rel=1e-12)


def test_certain_points_contribute_zero():
    row = torch.tensor([[0.0, -torch.inf, -torch.inf]])
    label, weight = importance_sample_labels(row, torch.tensor([0.7], dtype=torch.float64))
    assert float(weight) == 0.0
    assert output_gradient(row, label, weight).tolist() == [[0.0, 0.0, 0.0]]
    assert float(label_uncertainty(row)) == 0.0


def test_one_distribution_gives_the_same_gradient_of_drawn_labels():
    rows = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * 3
    uniforms = torch.rand(50, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels, weights = importance_sample_labels(rows, uniforms)
    assert torch.equal(importance_sampled_gradient(rows, uniforms), output_gradient(rows, labels, weights))


def test_output_gradient_is_that_of_the_log_probability():
    row = torch.tensor([[0.2, -0.4, 1.1], [3.0, 0.0, -2.0]], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([2, 0])
    log_probabilities = torch.log_softmax(row, dim=-1).gather(-1, labels.unsqueeze(-1)).sum()
    (expected,) = torch.autograd.grad(log_probabilities, row)
    torch.testing.assert_close(output_gradient(row, labels), expected)
    torch.testing.assert_close(squared_output_gradient(row, labels), expected.square().sum(dim=1))
    assert class_probabilities(row).dtype == torch.float64
