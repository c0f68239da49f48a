import pytest
import torch

from thawline.data.upload import upload


def test_on_the_cpu_nothing_is_copied():
    tensor = torch.arange(3)
    assert upload(tensor, torch.device("cpu")) is tensor


@pytest.mark.skipif(not torch.cuda.is_available(), reason="copies to a CUDA device only")
def test_a_copy_to_a_device_does_not_wait_for_it():
    torch.cuda.set_sync_debug_mode("error")
    try:
        uploaded = upload(torch.arange(3), torch.device("cuda"))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert uploaded.tolist() == [0, 1, 2]
