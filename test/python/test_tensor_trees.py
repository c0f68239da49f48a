from __future__ import annotations

import pytest
import torch

from thawline.tensor_trees import leaves_of, map_tensors, tensors_of

TREE = {"ids": torch.arange(6).view(3, 2), "pair": (torch.arange(3), [torch.arange(3, 6)])}


def test_a_function_is_applied_to_every_tensor_and_the_structure_stays() -> None:
    moved = map_tensors(lambda tensor: tensor.to("meta"), TREE)
    assert all(tensor.device.type == "meta" for tensor in tensors_of(moved))
    assert moved["ids"].shape == (3, 2)
    assert isinstance(moved["pair"], tuple)
    assert isinstance(moved["pair"][1], list)


def test_a_leaf_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(AssertionError, match="made of tensors, got str"):
        map_tensors(torch.clone, {"ids": torch.ones(1), "text": "words"})


def test_leaves_come_in_order_with_the_way_to_them() -> None:
    assert [path for path, _ in leaves_of(TREE)] == [("ids",), ("pair", 0), ("pair", 1, 0)]
    assert [len(tensor) for tensor in tensors_of(TREE)] == [3, 3, 1 + 2]
    assert list(leaves_of({"a": 1, "b": [], "c": ["d"]})) == [(("a",), 1), (("b",), []), (("c", 0), "d")]
