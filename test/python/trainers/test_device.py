import pytest
import torch

from thawline.config.run import DeviceConfig
from thawline.errors import UserError
from thawline.trainers.device import choose_device, describe_device


@pytest.fixture(params=[True, False], ids=["with a GPU", "without a GPU"])
def has_gpu(request, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param)
    return request.param


def chosen(kind):
    return choose_device(DeviceConfig(kind=kind, threads=1, precision="float32"))


def test_the_cpu_is_always_there(has_gpu):
    assert chosen("cpu") == torch.device("cpu")


def test_auto_is_a_gpu_where_there_is_one(has_gpu):
    assert chosen("auto") == torch.device("cuda" if has_gpu else "cpu")


def test_a_gpu_that_is_not_there_is_the_users_to_mend(has_gpu):
    if has_gpu:
        assert chosen("cuda") == torch.device("cuda")
        return
    with pytest.raises(UserError, match=r"`device\.kind` is `cuda`, but PyTorch .* sees no GPU") as caught:
        chosen("cuda")
    assert caught.value.code == "no_gpu"


def test_a_gpu_is_described_with_its_model(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Some GPU {device.index}")
    assert describe_device(torch.device("cuda", 1)) == "cuda:1: Some GPU 1"
    assert describe_device(torch.device("cpu")) == "cpu"
