"""Tensors in tuples, lists and mappings, nested at will: what batches are made of, and what models are called with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

Tree = Any
"""A tensor, or a tuple, list or mapping of trees."""


def map_tensors(function: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """A tree of the same structure with `function` of each tensor; mappings come back as plain dicts.

    Raises AssertionError for a leaf that is no tensor.
    """
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, Mapping):
        return {key: map_tensors(function, part) for key, part in tree.items()}
    assert isinstance(tree, tuple | list), f"a batch is made of tensors, got {type(tree).__name__}"
    parts = [map_tensors(function, part) for part in tree]
    # A named tuple takes its parts one by one.
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def leaves_of(tree: object, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], object]]:
    """(path, leaf) of whatever is in the tree, in order; a path is keys and positions. Empty containers are leaves."""
    if isinstance(tree, Mapping) and tree:
        for key, part in tree.items():
            yield from leaves_of(part, (*path, key))
    elif isinstance(tree, tuple | list) and tree:
        for position, part in enumerate(tree):
            yield from leaves_of(part, (*path, position))
    else:
        yield path, tree


def tensors_of(tree: object) -> Iterator[Tensor]:
    """The tensors among the leaves, in order."""
    return (leaf for _, leaf in leaves_of(tree) if isinstance(leaf, Tensor))
