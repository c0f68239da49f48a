from types import SimpleNamespace

import pytest
from text_examples import build_tokenizer
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from thawline.data.text.tokenization import PairTokenizer
from thawline.errors import UserError


def test_the_state_of_the_callers_tokenizer_makes_no_difference() -> None:
    fresh, used = build_tokenizer(), build_tokenizer()
    used("a river", "in it", max_length=8, truncation=True, padding="max_length")
    first, second = PairTokenizer.from_fast(fresh), PairTokenizer.from_fast(used)
    assert first.sha256 == second.sha256
    for tokenizer in (first, second):
        ((encoding,),) = tokenizer.encode([("a", "the river is in it")], max_length=99, truncation="longest_first")
        assert len(encoding.ids) > 8
        assert 1 not in encoding.ids


def test_encoding_leaves_the_callers_tokenizer_alone() -> None:
    tokenizer = build_tokenizer()
    before = tokenizer.backend_tokenizer.to_str()
    list(PairTokenizer.from_fast(tokenizer).encode([("a", "b" * 40)], max_length=9, truncation="only_second"))
    assert tokenizer.backend_tokenizer.to_str() == before


def test_another_vocabulary_is_another_tokenizer() -> None:
    other = build_tokenizer()
    other.add_tokens(["river"])
    assert PairTokenizer.from_fast(other).sha256 != PairTokenizer.from_fast(build_tokenizer()).sha256


def test_more_pairs_than_one_batch_come_in_order() -> None:
    tokenizer = PairTokenizer.from_fast(build_tokenizer())
    pairs = [("a", "b" * (1 + i % 5)) for i in range(1100)]
    lengths = [len(encoding.ids) for (encoding,) in tokenizer.encode(pairs, max_length=64, truncation="only_second")]
    assert lengths == [lengths[i % 5] for i in range(1100)]
    assert len({*lengths}) == 5


def test_tokens_are_counted_without_special_ones() -> None:
    tokenizer = PairTokenizer.from_fast(build_tokenizer())
    assert tokenizer.count_special_tokens() == 4
    assert tokenizer.count_tokens(["ab", ""]) == [3, 0]


def test_a_slow_tokenizer_and_one_without_special_tokens_are_refused() -> None:
    with pytest.raises(UserError, match="not a fast one"):
        PairTokenizer.from_fast(SimpleNamespace(cls_token_id=0, pad_token_id=1))
    plain = Tokenizer(models.WordLevel({"a": 0, "b": 1, "<s>": 2, "<pad>": 3}, unk_token="a"))
    with pytest.raises(UserError, match="adds no CLS token") as caught:
        PairTokenizer.from_fast(PreTrainedTokenizerFast(tokenizer_object=plain, cls_token="<s>", pad_token="<pad>"))
    assert caught.value.code == "invalid_tokenizer"
    tokenizer = build_tokenizer()
    tokenizer.pad_token = None
    with pytest.raises(UserError, match="no padding token"):
        PairTokenizer.from_fast(tokenizer)
