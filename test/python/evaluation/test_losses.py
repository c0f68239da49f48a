from __future__ import annotations

import math

import pytest
import torch

from thawline.evaluation.losses import mean_and_error


def test_the_mean_over_all_examples_and_its_error() -> None:
    value, error = mean_and_error([torch.tensor([1.0, 2.0]), torch.tensor([6.0])])
    assert value == 3.0
    # Deviations -2, -1 and 3: a variance of 7 over two degrees of freedom.
    assert error == pytest.approx(math.sqrt(14 / 2 / 3))


def test_one_example_has_no_error() -> None:
    value, error = mean_and_error([torch.tensor([0.25])])
    assert value == 0.25
    assert math.isnan(error)


def test_batches_do_not_matter() -> None:
    losses = torch.rand(100, generator=torch.Generator().manual_seed(0))
    assert mean_and_error([losses]) == mean_and_error(list(losses.split(7)))
