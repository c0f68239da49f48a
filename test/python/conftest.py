"""What every test here relies on."""

import torch
from hypothesis import settings

# Tests share a machine, and the thread count changes the last bits of results.
torch.set_num_threads(1)

# The first call of a PyTorch operation may take longer than hypothesis allows an example.
settings.register_profile("pytorch", deadline=None)
settings.load_profile("pytorch")
