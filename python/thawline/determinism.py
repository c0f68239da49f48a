"""Randomness as a function of (seed, purpose, counters), so that resume needs no iterator state.

Decision record: docs/decisions/0004-counter-based-randomness.md.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, purpose: str, *counters: int | str) -> int:
    """A 63-bit seed for one purpose ("data_order", "probe_set", ...) at the given counters.

    Streams of different purposes or counters are independent; the same arguments give the same seed on every machine.
    """
    text = "\x1f".join([str(seed), purpose, *map(str, counters)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def derive_generator(seed: int, purpose: str, *counters: int | str) -> torch.Generator:
    """A CPU generator of its own, seeded by `derive_seed`; the global training RNG is never touched."""
    import torch

    return torch.Generator().manual_seed(derive_seed(seed, purpose, *counters))


def permutation(seed: int, purpose: str, size: int, *counters: int | str) -> torch.Tensor:
    """A permutation of range(size), int64 [size], as a pure function of its arguments."""
    import torch

    return torch.randperm(size, generator=derive_generator(seed, purpose, *counters))
