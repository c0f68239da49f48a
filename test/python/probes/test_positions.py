"""Rows of logits at the positions of an example: a bounded number at a time changes no value."""

import pytest
import torch
from torch import Tensor

from thawline.probes import positions
from thawline.probes.positions import label_uncertainties, of_counted_rows, summed_cross_entropy

EXAMPLES, POSITIONS, CLASSES = 3, 5, 7


def logits() -> Tensor:
    return torch.randn(EXAMPLES, POSITIONS, CLASSES, generator=torch.Generator().manual_seed(0))


def labels() -> Tensor:
    return torch.randint(0, CLASSES, (EXAMPLES, POSITIONS), generator=torch.Generator().manual_seed(1))


COUNTED = torch.tensor([[0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)


@pytest.fixture(params=[1, 2 * CLASSES, 2**22], ids=["a row at once", "two rows", "all"])
def numbers_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "NUMBERS_AT_ONCE", request.param)


@pytest.mark.usefixtures("numbers_at_once")
def test_only_positions_that_count_are_made_of_rows_with_their_places() -> None:
    out, seen = logits(), []

    def make(rows: Tensor, places: Tensor | slice) -> Tensor:
        seen.extend(places.tolist())
        return rows.sum(dim=1)

    found = of_counted_rows(out, COUNTED, make)
    torch.testing.assert_close(found, out.sum(dim=2) * COUNTED)
    assert seen == COUNTED.flatten().nonzero().flatten().tolist()


def test_where_nothing_counts_all_is_zero() -> None:
    found = of_counted_rows(logits(), torch.zeros_like(COUNTED), lambda rows, _: rows * 2)
    assert found.shape == (EXAMPLES, POSITIONS, CLASSES)
    assert not found.any()


@pytest.mark.usefixtures("numbers_at_once")
def test_losses_and_their_first_and_second_derivatives_are_those_of_a_plain_sum() -> None:
    def derivatives(loss_of):  # type: ignore[no-untyped-def]
        out = logits().double().requires_grad_()
        losses = loss_of(out)
        weights = torch.arange(1.0, EXAMPLES + 1, dtype=torch.float64)
        (slope,) = torch.autograd.grad((losses * weights).sum(), out, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.square().sum(), out)
        return losses.detach(), slope.detach(), curvature

    def plain(out: Tensor) -> Tensor:
        chosen = torch.log_softmax(out, dim=-1).gather(-1, labels().unsqueeze(-1)).squeeze(-1)
        return -(chosen * COUNTED).sum(dim=1)

    found = derivatives(lambda out: summed_cross_entropy(out, labels(), COUNTED))
    for one, other in zip(found, derivatives(plain), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.usefixtures("numbers_at_once")
def test_what_does_not_count_may_be_anything() -> None:
    out, ignored = logits(), labels().masked_fill(~COUNTED, -100)
    spoilt = out.masked_fill(~COUNTED.unsqueeze(-1), torch.nan).requires_grad_()
    losses = summed_cross_entropy(spoilt, ignored, COUNTED)
    assert torch.equal(losses, summed_cross_entropy(out, labels(), COUNTED))
    (slope,) = torch.autograd.grad(losses.sum(), spoilt)
    assert not slope[~COUNTED].any()
    assert slope.isfinite().all()


@pytest.mark.usefixtures("numbers_at_once")
def test_uncertainty_is_summed_over_what_counts() -> None:
    p = logits().double().softmax(dim=-1)
    expected = ((1 - p.square().sum(dim=-1)) * COUNTED).sum(dim=1)
    torch.testing.assert_close(label_uncertainties([logits()], COUNTED), expected)
