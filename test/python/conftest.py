"""One thread for PyTorch: tests share a machine, and the thread count changes the last bits of results."""

import torch

torch.set_num_threads(1)
