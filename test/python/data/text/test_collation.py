import pytest
import torch
from text_examples import RIVER, build_tokenizer, make_question

from thawline.data.text.collation import Collation
from thawline.data.text.encoded_pairs import encode_pairs
from thawline.data.text.records import Pair
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import WindowSettings, build_windows

TOKENIZER = PairTokenizer.from_fast(build_tokenizer())
PAIRS = encode_pairs([Pair("a river", "b", "neutral"), Pair("a", "b", "contradiction")], TOKENIZER)
WINDOWS = build_windows([make_question(RIVER, "Wien")], TOKENIZER, WindowSettings(60, 16))


def test_rows_are_padded_with_the_tokenizers_own_id_and_keep_their_labels() -> None:
    batch = Collation(TOKENIZER.pad_id, torch.device("cpu")).batch(PAIRS, torch.tensor([1, 0]))
    assert batch.keys() == {"input_ids", "attention_mask", "labels"}
    assert batch["labels"].tolist() == [2, 1]
    lengths = PAIRS.tokens.lengths[[1, 0]]
    assert batch["attention_mask"].sum(dim=1).tolist() == lengths.tolist()
    assert batch["input_ids"].shape == (2, int(lengths.max()))
    padding = batch["attention_mask"] == 0
    assert bool(padding.any())
    assert {*batch["input_ids"][padding].tolist()} == {TOKENIZER.pad_id}


NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize(("device", "multiple_of"), [("cpu", 1), pytest.param("cuda", 8, marks=NEEDS_CUDA)])
def test_batches_are_as_wide_as_their_device_likes(device: str, multiple_of: int) -> None:
    batch = Collation(TOKENIZER.pad_id, torch.device(device)).batch(PAIRS, torch.arange(len(PAIRS)))
    longest = int(PAIRS.tokens.lengths.max())
    assert longest % 8 != 0
    assert batch["input_ids"].shape[1] == -(-longest // multiple_of) * multiple_of
    assert {tensor.device.type for tensor in batch.values()} == {device}


def test_questions_come_with_the_ends_of_their_answers() -> None:
    batch = Collation(TOKENIZER.pad_id, torch.device("cpu")).batch(WINDOWS, torch.arange(len(WINDOWS)))
    assert batch.keys() == {"input_ids", "attention_mask", "start_positions", "end_positions"}
    assert torch.equal(batch["start_positions"], WINDOWS.start_positions)
    assert torch.equal(batch["end_positions"], WINDOWS.end_positions)
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}
