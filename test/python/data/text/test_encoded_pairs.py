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
