import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from largest_tensor import LargestTensor
from layer_gradients import drawn

from thawline.probes.layer_rules import parts
from thawline.probes.layer_rules.forms import Norms, Products, Rows, Vectors, squared_norms, squared_product_norms

EXAMPLES, OUT, WIDTH = 3, 4, 2


def dense(form):
    """The gradients [EXAMPLES, OUT, WIDTH] that a form stands for."""
    found = torch.zeros(EXAMPLES, OUT, WIDTH, dtype=torch.float64)
    if isinstance(form, Products):
        found[:, form.rows.start : form.rows.stop] = torch.einsum("ndt,not->nod", form.left, form.right)
    elif isinstance(form, Rows):
        for example in range(EXAMPLES):
            found[example].index_add_(0, form.indices[example], form.values[example])
    else:
        found[:, form.rows.start : form.rows.stop] = form.values
    return found


seeds = st.integers(0, 2**31)
positions = st.integers(1, 4)
products = st.builds(
    lambda t, s: Products(drawn(EXAMPLES, WIDTH, t, seed=s), drawn(EXAMPLES, OUT, t, seed=s + 1)), positions, seeds
)
rows = st.builds(
    lambda t, s: Rows(
        torch.randint(0, OUT, (EXAMPLES, t), generator=torch.Generator().manual_seed(s)),
        drawn(EXAMPLES, t, WIDTH, seed=s),
        OUT,
    ),
    positions,
    seeds,
)
vectors = st.builds(lambda s: Vectors(drawn(EXAMPLES, OUT, WIDTH, seed=s)), seeds)
# Of the first two rows, or of the last two.
slices = st.builds(
    lambda first, s: Products(drawn(EXAMPLES, WIDTH, 2, seed=s), drawn(EXAMPLES, 2, 2, seed=s + 1), first),
    st.sampled_from([0, 2]),
    seeds,
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(*(st.lists(one, min_size=1, max_size=4) for one in (products | rows, vectors, slices))),
    st.sampled_from([1, 2**19]),
)
def test_forms_are_added_before_they_are_squared(forms, numbers_at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "NUMBERS_AT_ONCE", numbers_at_once)
        expected = sum(dense(form) for form in forms).square().sum(dim=(1, 2))
        torch.testing.assert_close(squared_norms(forms), expected)


def test_what_cancels_is_never_below_zero():
    form = Rows(torch.tensor([[0, 1]] * EXAMPLES), drawn(EXAMPLES, 2, WIDTH).float(), OUT)
    one_hot = torch.eye(OUT)[form.indices].mT
    opposite = Products(-form.values.mT, one_hot)
    found = squared_norms([form, opposite])
    assert (found >= 0).all()
    assert found.tolist() == pytest.approx([0] * EXAMPLES, abs=1e-5)


def test_forms_that_have_no_sum_give_none():
    whole, part = drawn(EXAMPLES, OUT, WIDTH), drawn(EXAMPLES, 2, WIDTH)
    assert squared_norms([Norms(drawn(EXAMPLES)), Norms(drawn(EXAMPLES))]) is None
    assert squared_norms([Vectors(whole), Products(drawn(EXAMPLES, WIDTH, 2), drawn(EXAMPLES, OUT, 2))]) is None
    assert squared_norms([Vectors(whole), Vectors(part, first=1)]) is None


@pytest.mark.parametrize(("d", "o", "t"), [(3, 4, 9), (30, 40, 2)])
def test_the_gram_form_and_the_product_agree(d, o, t):
    left, right = drawn(2, d, t), drawn(2, o, t, seed=1)
    expected = torch.einsum("ndt,not->ndo", left, right).square().sum(dim=(1, 2))
    torch.testing.assert_close(squared_product_norms(left, right), expected)


def test_a_tied_vocabulary_is_met_by_positions_alone():
    """Embedding and head of a language model: nothing is as large as the gradients at the head's own output."""
    examples, tokens, words, width = 4, 8, 20_000, 16
    embedded = Rows(torch.randint(0, words, (examples, tokens)), torch.randn(examples, tokens, width), words)
    head = Products(torch.randn(examples, width, tokens), torch.randn(examples, words, tokens))
    with LargestTensor() as largest:
        squared_norms([embedded, head])
    assert largest.numbers <= examples * words * tokens
