"""Where a run trains."""

from __future__ import annotations

import torch

from thawline.config import DeviceConfig


def choose_device(config: DeviceConfig) -> torch.device:
    if config.kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.kind)
