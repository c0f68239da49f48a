import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from thawline.data.text.token_rows import TokenRows

ROWS = st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=12), min_size=1, max_size=8)


def make(rows: list[list[int]]) -> TokenRows:
    return TokenRows.from_arrays([np.array(row, np.int32) for row in rows])


@given(rows=ROWS, multiple_of=st.sampled_from([1, 8]), data=st.data())
def test_padding_keeps_the_rows_and_marks_the_rest(
    rows: list[list[int]], multiple_of: int, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), min_size=1))
    tokens = make(rows)
    input_ids, mask = tokens.pad(torch.tensor(chosen), pad_id=-7, multiple_of=multiple_of)
    longest = max(len(rows[i]) for i in chosen)
    width = input_ids.shape[1]
    assert width % multiple_of == 0
    assert longest <= width < longest + multiple_of
    assert input_ids.dtype == mask.dtype == torch.int64
    for position, i in enumerate(chosen):
        padding = width - len(rows[i])
        assert input_ids[position].tolist() == rows[i] + [-7] * padding
        assert mask[position].tolist() == [1] * len(rows[i]) + [0] * padding


@given(rows=ROWS)
def test_rows_know_their_lengths_and_places(rows: list[list[int]]) -> None:
    tokens = make(rows)
    assert len(tokens) == len(rows)
    assert tokens.lengths.tolist() == [len(row) for row in rows]
    assert [tokens.ids[tokens.slice_of(i)].tolist() for i in range(len(rows))] == rows
