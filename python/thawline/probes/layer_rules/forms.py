"""The forms in which a rule gives the gradient of each example, their squared norms, and sums of them.

Goodfellow 2015 (arXiv:1510.01799) for linear layers; the Gram form is the "ghost norm" of differentially private
training. Squared norms are [examples] in the gradients' own type of numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from thawline.probes.layer_rules.parts import by_parts


@dataclass(frozen=True)
class Vectors:
    """The gradients themselves, [examples, ...], of a parameter that is no larger than an example's activations.

    `first` is where they begin in the parameter's first dimension; the rest of it has no gradient.
    """

    values: Tensor
    first: int = 0

    @property
    def rows(self) -> range:
        return range(self.first, self.first + self.values.shape[1])

    def squared_norms(self) -> Tensor:
        return self.values.square().flatten(1).sum(dim=1)


@dataclass(frozen=True)
class Products:
    """sum_t right_t left_t^T over positions t, for left [examples, D, T] and right [examples, O, T].

    It is the gradient of the rows `first` to `first` + O of a matrix; the others have none.
    """

    left: Tensor
    right: Tensor
    first: int = 0

    @property
    def rows(self) -> range:
        return range(self.first, self.first + self.right.shape[1])

    def squared_norms(self) -> Tensor:
        return squared_product_norms(self.left, self.right)


@dataclass(frozen=True)
class Rows:
    """Row `indices[t]` has the gradient `values[t]`, rows that occur twice their sum, all others zero.

    indices int64 [examples, T], values [examples, T, D]; `count` is the number of rows.
    """

    indices: Tensor
    values: Tensor
    count: int

    @property
    def rows(self) -> range:
        return range(self.count)

    def squared_norms(self) -> Tensor:
        return by_parts(_squared_row_norms, self.values[0].numel(), self.indices, self.values)


@dataclass(frozen=True)
class Norms:
    """Squared norms alone, which do not add up to that of a sum."""

    squared: Tensor

    @property
    def rows(self) -> range:
        return range(0)

    def squared_norms(self) -> Tensor:
        return self.squared


Form = Vectors | Products | Rows | Norms


def squared_norms(forms: Sequence[Form]) -> Tensor | None:
    """||sum of the forms||^2 of each example, all of one parameter; None where these do not add up.

    Forms of the same rows are added before they are squared; those of other rows have nothing in common.
    """
    if len(forms) == 1:
        return forms[0].squared_norms()
    by_rows: dict[range, list[Form]] = defaultdict(list)
    for form in forms:
        by_rows[form.rows].append(form)
    ordered = sorted(by_rows, key=lambda rows: rows.start)
    if any(rows.stop > others.start for rows, others in pairwise(ordered)):
        return None
    sums = [_squared_norms_of_sum(same) for same in by_rows.values()]
    found = [norms for norms in sums if norms is not None]
    return torch.stack(found).sum(dim=0) if len(found) == len(sums) else None


def _squared_norms_of_sum(forms: Sequence[Form]) -> Tensor | None:
    """The same of forms that are about the same rows."""
    if len(forms) == 1:
        return forms[0].squared_norms()
    vectors = [form.values for form in forms if isinstance(form, Vectors)]
    if len(vectors) == len(forms):
        return Vectors(torch.stack(vectors).sum(dim=0)).squared_norms()
    products = [form for form in forms if isinstance(form, Products)]
    rows = [form for form in forms if isinstance(form, Rows)]
    if len(products) + len(rows) < len(forms):
        return None
    # Positions of one call after those of the other: the sum over positions is that over calls.
    terms = []
    if products:
        left = torch.cat([form.left for form in products], dim=2)
        right = torch.cat([form.right for form in products], dim=2)
        terms.append(squared_product_norms(left, right))
    if rows:
        indices, values = torch.cat([form.indices for form in rows], 1), torch.cat([form.values for form in rows], 1)
        terms.append(Rows(indices, values, rows[0].count).squared_norms())
    if products and rows:
        # Rounding may leave the square of a sum that is nearly zero below it.
        return torch.clamp(terms[0] + terms[1] + 2 * _inner_products(indices, values, left, right), min=0)
    return terms[0]


def squared_product_norms(left: Tensor, right: Tensor) -> Tensor:
    """||sum_t left_t right_t^T||^2 for left [groups, D, T] and right [groups, O, T]; [groups].

    Goes through the two T x T Gram matrices where that is cheaper than the D x O product.
    """
    d, o, t = left.shape[1], right.shape[1], left.shape[2]
    if t * (d + o) < d * o:
        return by_parts(_squared_norms_by_gram, 2 * t * t, left, right)
    return by_parts(_squared_norms_by_product, d * o, left, right)


def _squared_norms_by_gram(left: Tensor, right: Tensor) -> Tensor:
    return (torch.bmm(left.mT, left) * torch.bmm(right.mT, right)).sum(dim=(1, 2))


def _squared_norms_by_product(left: Tensor, right: Tensor) -> Tensor:
    return torch.bmm(right, left.mT).square().sum(dim=(1, 2))


def _squared_row_norms(indices: Tensor, values: Tensor) -> Tensor:
    """Sums up the rows that occur, each example's own: at most as many as there are positions."""
    examples = len(indices)
    owners = torch.arange(examples, device=indices.device).unsqueeze(1)
    found, places = torch.unique(indices * examples + owners, return_inverse=True)
    # Autograd's own kernel, which adds in the same order every time, on a GPU too.
    summed: Tensor = torch.ops.aten.embedding_dense_backward(
        values.flatten(0, 1), places.flatten(), len(found), -1, False
    )
    norms = summed.square().sum(dim=1)
    return norms.new_zeros(examples).index_add_(0, found % examples, norms)


def _inner_products(indices: Tensor, values: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """<rows, products> of each example: for each position of the rows and each of the products, one number."""

    def form(indices: Tensor, values: Tensor, left: Tensor, right: Tensor) -> Tensor:
        chosen = right.gather(1, indices.unsqueeze(2).expand(-1, -1, right.shape[2]))
        return (chosen * torch.bmm(values, left)).sum(dim=(1, 2))

    return by_parts(form, 2 * indices.shape[1] * left.shape[2], indices, values, left, right)
