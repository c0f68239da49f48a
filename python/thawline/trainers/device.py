"""Where a run trains."""

from __future__ import annotations

import torch

from thawline.config.run import DeviceConfig
from thawline.errors import UserError


def choose_device(config: DeviceConfig) -> torch.device:
    """The device that `device.kind` asks for; `auto` is the GPU where there is one.

    Raises UserError `no_gpu` where a GPU is asked for and PyTorch sees none.
    """
    has_gpu = torch.cuda.is_available()
    if config.kind == "cuda" and not has_gpu:
        raise UserError(
            "no_gpu",
            f"`device.kind` is `cuda`, but PyTorch {torch.__version__} sees no GPU",
            hint="set `device.kind=auto`, or install a build of PyTorch for the GPU of this machine",
        )
    if config.kind == "auto":
        return torch.device("cuda" if has_gpu else "cpu")
    return torch.device(config.kind)


def describe_device(device: torch.device) -> str:
    """`cpu`, or the kind and the model (`cuda: NVIDIA H200`): another model of GPU gives other bits."""
    return str(device) if device.type != "cuda" else f"{device}: {torch.cuda.get_device_name(device)}"
