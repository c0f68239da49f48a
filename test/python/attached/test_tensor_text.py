from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.attached.tensor_text import tensors_to_text, text_to_tensors


@given(
    st.dictionaries(
        st.text("abc/0", min_size=1), st.lists(st.floats(width=32, allow_nan=False), min_size=1), max_size=4
    )
)
def test_tensors_come_back_bit_for_bit(values: dict[str, list[float]]) -> None:
    tensors = {name: torch.tensor(numbers, dtype=torch.float64) for name, numbers in values.items()}
    back = text_to_tensors(tensors_to_text(tensors))
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())
