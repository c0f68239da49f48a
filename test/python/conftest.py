"""What every test here relies on."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Test doubles that several files share (granting_channel, tiny_training) are imported by name.
sys.path.append(str(Path(__file__).parent / "support"))


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # Only tells others what to run: without torch it does so sooner.
    import torch
    from hypothesis import settings

    # Tests share a machine, and the thread count changes the last bits of results.
    torch.set_num_threads(1)
    # The first call of a PyTorch operation may take longer than hypothesis allows an example.
    settings.register_profile("pytorch", deadline=None)
    settings.load_profile("pytorch")


def pytest_collection_finish() -> None:
    """What is imported by now stays: every collection would look at its millions of objects again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def torch_settings() -> Iterator[None]:
    """For a test of code that makes the whole process deterministic, as the trainers do."""
    import torch

    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
