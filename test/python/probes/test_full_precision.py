from types import SimpleNamespace

import pytest
import torch

from thawline.probes.full_precision import full_float32


def precisions():
    return [switch.fp32_precision for switch in (torch.backends.cudnn.conv, torch.backends.cuda.matmul)]


@pytest.fixture
def rounding():
    before = precisions()
    torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision = "tf32", "tf32"
    yield
    torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision = before


def test_nothing_is_rounded_inside_and_what_was_set_is_set_again(rounding):
    with full_float32():
        assert precisions() == ["ieee", "ieee"]
    assert precisions() == ["tf32", "tf32"]


def test_it_is_set_again_after_an_error(rounding):
    with pytest.raises(ZeroDivisionError), full_float32():
        raise ZeroDivisionError
    assert precisions() == ["tf32", "tf32"]


def test_the_older_switches_can_still_be_read_afterwards():
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    with full_float32():
        pass
    assert (torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()) == before


def test_an_older_pytorch_has_switches_of_its_own(monkeypatch):
    older = SimpleNamespace(
        cudnn=SimpleNamespace(allow_tf32=True), cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False))
    )
    monkeypatch.setattr(torch, "backends", older)
    with full_float32():
        assert (older.cudnn.allow_tf32, older.cuda.matmul.allow_tf32) == (False, False)
    assert (older.cudnn.allow_tf32, older.cuda.matmul.allow_tf32) == (True, False)
