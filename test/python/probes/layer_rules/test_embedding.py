import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from largest_tensor import LargestTensor
from layer_gradients import assert_rule_agrees, norms_by_rule
from torch import nn

from thawline.probes.layer_rules import parts
from thawline.probes.layer_rules.choice import rule_for

few = st.integers(1, 5)


@settings(max_examples=60, deadline=None)
@given(few, st.lists(few, max_size=2), few, few, st.booleans(), st.sampled_from([1, 2**19]), st.integers(0, 2**31))
def test_repeated_tokens_add_and_padding_has_no_gradient(examples, shape, words, width, pads, numbers_at_once, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "NUMBERS_AT_ONCE", numbers_at_once)
        tokens = torch.randint(0, words, (examples, *shape), generator=torch.Generator().manual_seed(seed))
        assert_rule_agrees(nn.Embedding(words, width, padding_idx=0 if pads else None), tokens)


def test_no_tensor_is_as_large_as_the_vocabulary():
    examples, tokens, words, width = 16, 32, 50_000, 64
    layer = nn.Embedding(words, width)
    read = torch.randint(0, words, (examples, tokens))
    with LargestTensor() as largest:
        norms_by_rule(layer, read, torch.randn(examples, tokens, width))
    assert largest.numbers <= examples * tokens * width < words * width


@pytest.mark.parametrize("options", [{"max_norm": 1.0}, {"scale_grad_by_freq": True}], ids=str)
def test_embeddings_that_look_at_the_batch_or_write_to_themselves_have_no_rule(options):
    assert rule_for(nn.Embedding(5, 2, **options)) is None
