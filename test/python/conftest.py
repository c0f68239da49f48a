"""What every test here relies on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# Test doubles that several files share (granting_channel, tiny_training) are imported by name.
sys.path.append(str(Path(__file__).parent))

# Tests share a machine, and the thread count changes the last bits of results.
torch.set_num_threads(1)

# The first call of a PyTorch operation may take longer than hypothesis allows an example.
settings.register_profile("pytorch", deadline=None)
settings.load_profile("pytorch")


@pytest.fixture
def torch_settings() -> Iterator[None]:
    """For a test of code that makes the whole process deterministic, as the trainers do."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
