from dataclasses import replace

import torch
from text_examples import build_tokenizer

from thawline.data.text.encoded_pairs import encode_pairs
from thawline.data.text.records import PAIR_LABELS, Pair
from thawline.data.text.tokenization import PairTokenizer

FAST = build_tokenizer()
TOKENIZER = PairTokenizer.from_fast(FAST)
PAIRS = [
    Pair("the river", "is in it", "contradiction"),
    Pair("a", "b", "entailment"),
    Pair("a long premise " * 5, "short", "neutral"),
]


def test_pairs_are_those_of_transformers() -> None:
    encoded = encode_pairs(PAIRS, TOKENIZER, max_length=32)
    expected = FAST(
        [pair.premise for pair in PAIRS], [pair.hypothesis for pair in PAIRS], max_length=32, truncation=True
    )
    assert [encoded.tokens.ids[encoded.tokens.slice_of(i)].tolist() for i in range(3)] == expected["input_ids"]
    assert [PAIR_LABELS[i] for i in encoded.labels.tolist()] == [pair.label for pair in PAIRS]
    assert encoded.tokens.lengths.max() == 32


def test_a_batch_is_what_a_transformers_model_takes() -> None:
    encoded = encode_pairs(PAIRS, TOKENIZER)
    batch = encoded.collate(torch.tensor([2, 1]), pad_id=1)
    assert [*batch] == ["input_ids", "attention_mask", "labels"]
    assert batch["labels"].tolist() == [1, 0]
    assert batch["attention_mask"].sum(1).tolist() == encoded.tokens.lengths[[2, 1]].tolist()
    assert batch["input_ids"].shape[1] == int(encoded.tokens.lengths[2])


def test_segments_are_those_of_transformers_and_padding_is_of_the_first() -> None:
    fast = build_tokenizer(tells_texts_apart=True)
    encoded = encode_pairs(PAIRS, PairTokenizer.from_fast(fast), max_length=32)
    expected = fast(
        [pair.premise for pair in PAIRS],
        [pair.hypothesis for pair in PAIRS],
        max_length=32,
        truncation=True,
        padding=True,
        return_tensors="pt",
    )
    batch = encoded.collate(torch.arange(3), pad_id=1)
    assert [*batch] == ["input_ids", "attention_mask", "token_type_ids", "labels"]
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        assert torch.equal(batch[name], expected[name])
    assert {*batch["token_type_ids"].flatten().tolist()} == {0, 1}


def test_where_the_tokenizer_or_the_model_knows_no_segments_there_are_none() -> None:
    assert encode_pairs(PAIRS, TOKENIZER).segments is None
    deaf = replace(PairTokenizer.from_fast(build_tokenizer(tells_texts_apart=True)), gives_segments=False)
    assert encode_pairs(PAIRS, deaf).segments is None
