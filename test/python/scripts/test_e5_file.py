"""`scripts/e5_file.py`: what stands in an encoder file, number by number."""

import numpy as np
import pytest
from e5_example import LAYERS, PIECES, example, import_e5_file
from hypothesis import given
from hypothesis import strategies as st

e5_file = import_e5_file()


def test_tensors_come_back_exactly_under_the_names_of_transformers():
    content, tensors = example()
    read = e5_file.read_encoder(content)
    assert len(read.tensors) == len(tensors) == 5 + 16 * LAYERS
    same = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
        "l1.v.w": "encoder.layer.1.attention.self.value.weight",
        "l0.aln.w": "encoder.layer.0.attention.output.LayerNorm.weight",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l0.fo.b": "encoder.layer.0.output.dense.bias",
    }
    for short, name in same.items():
        assert read.tensors[name].shape == tensors[short].shape
        np.testing.assert_array_equal(read.tensors[name], tensors[short])


def test_vocabulary_and_sizes():
    read = e5_file.read_encoder(example()[0])
    assert read.pieces == [(piece, -float(place)) for place, piece in enumerate(PIECES)]
    assert read.special_ids == {"bos": 0, "eos": 2, "pad": 1, "unk": 3}
    assert read.sizes["intermediate"] == 64
    assert read.layer_norm_eps == 1e-12


@given(st.data())
def test_a_file_that_ends_early_is_refused(data):
    content, _ = example()
    shortened = content[: data.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(e5_file.NotAnEncoderFileError):
        e5_file.read_encoder(shortened)


@pytest.mark.parametrize(("place", "value"), [(0, b"X"), (4, b"\x02"), (40, b"\x40")])
def test_another_format_version_or_group_size_is_refused(place, value):
    content, _ = example()
    with pytest.raises(e5_file.NotAnEncoderFileError, match="begins with"):
        e5_file.read_encoder(content[:place] + value + content[place + 1 :])


def test_a_file_that_lacks_a_tensor_is_refused():
    content, _ = example(without="l1.ao.b")
    with pytest.raises(e5_file.NotAnEncoderFileError, match=r"l1\.ao\.b"):
        e5_file.read_encoder(content)
