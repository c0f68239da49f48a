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


def derive_generator(
    seed: int, purpose: str, *counters: int | str, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A generator of its own on `device`, seeded by `derive_seed`; the global training RNG is never touched.

    What a GPU draws depends on its model.
    """
    import torch

    return torch.Generator(device).manual_seed(derive_seed(seed, purpose, *counters))


def permutation(seed: int, purpose: str, size: int, *counters: int | str) -> torch.Tensor:
    """A permutation of range(size), int64 [size], as a pure function of its arguments."""
    import torch

    return torch.randperm(size, generator=derive_generator(seed, purpose, *counters))


def capture_random_state() -> dict[str, torch.Tensor]:
    """The global generators that training may draw from (PyTorch on the CPU and on every CUDA device), as uint8."""
    import torch

    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state |= {f"cuda:{index}": value for index, value in enumerate(torch.cuda.get_rng_state_all())}
    return state


def restore_random_state(state: dict[str, torch.Tensor]) -> None:
    """The inverse of `capture_random_state`; devices that are not here any more are left out."""
    import torch

    torch.set_rng_state(state["cpu"])
    for name, value in state.items():
        if name != "cpu" and torch.cuda.is_available():
            torch.cuda.set_rng_state(value, torch.device(name))


def make_deterministic(seed: int, threads: int) -> None:
    """Fixes the number of threads (another one gives other sums), the algorithms and the global generator."""
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(derive_seed(seed, "training"))
