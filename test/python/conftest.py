"""What every test here relies on."""

import sys
from pathlib import Path

import torch
from hypothesis import settings

# Test doubles that several files share (granting_channel, tiny_training) are imported by name.
sys.path.append(str(Path(__file__).parent))

# Tests share a machine, and the thread count changes the last bits of results.
torch.set_num_threads(1)

# The first call of a PyTorch operation may take longer than hypothesis allows an example.
settings.register_profile("pytorch", deadline=None)
settings.load_profile("pytorch")
