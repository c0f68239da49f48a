import pytest
import torch

from thawline.config import DeviceConfig
from thawline.trainers.device import choose_device


def chosen(kind):
    return choose_device(DeviceConfig(kind=kind, threads=1, shared=False, precision="float32"))


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_what_is_named_is_taken(kind):
    assert chosen(kind) == torch.device(kind)


@pytest.mark.parametrize(("is_available", "kind"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(monkeypatch, is_available, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_available)
    assert chosen("auto") == torch.device(kind)
