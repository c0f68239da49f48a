"""The digest depends on names, types, shapes and bits, and on nothing else."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import build_network
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from thawline.storage.weights import hash_or_reason, row_major_bytes, weights_sha256


class Holder(nn.Module):
    def __init__(self, **tensors: Tensor) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)


def test_the_digest_is_computed_as_documented() -> None:
    """Written out by hand, so that another tool can compute the same number."""
    holder = Holder(b=torch.tensor([[1.5, -0.0]]), a=torch.tensor(7, dtype=torch.int64))
    expected = hashlib.sha256()
    expected.update(b"a\ntorch.int64\n[]\n" + struct.pack("<q", 7))
    expected.update(b"b\ntorch.float32\n[1, 2]\n" + struct.pack("<ff", 1.5, -0.0))
    assert weights_sha256(holder) == expected.hexdigest()


def test_memory_format_does_not_enter() -> None:
    model, same = build_network(), build_network().to(memory_format=torch.channels_last)
    assert model.conv2.weight.stride() != same.conv2.weight.stride()
    assert weights_sha256(model) == weights_sha256(same)


def test_freezing_and_gradients_do_not_enter() -> None:
    model = build_network()
    before = weights_sha256(model)
    model.conv1.weight.requires_grad_(False)
    model.head.bias.grad = torch.ones(3)
    assert weights_sha256(model) == before


@given(st.data())
def test_any_bit_enters(data: st.DataObject) -> None:
    model = build_network()
    before = weights_sha256(model)
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    tensor = tensors[data.draw(st.sampled_from(sorted(tensors)))]
    flat = tensor.detach().reshape(-1).view(torch.uint8)
    byte, bit = data.draw(st.integers(0, len(flat) - 1)), data.draw(st.integers(0, 7))
    flat[byte] ^= 1 << bit
    assert weights_sha256(model) != before
    flat[byte] ^= 1 << bit
    assert weights_sha256(model) == before


@pytest.mark.parametrize(
    "other",
    [
        Holder(y=torch.zeros(4)),
        Holder(x=torch.zeros(2, 2)),
        Holder(x=torch.zeros(4, dtype=torch.int32)),
        Holder(x=torch.zeros(8, dtype=torch.bfloat16)),
        Holder(x=-torch.zeros(4)),
    ],
)
def test_name_shape_type_and_sign_of_zero_enter(other: nn.Module) -> None:
    assert weights_sha256(Holder(x=torch.zeros(4))) != weights_sha256(other)


@given(
    st.lists(st.integers(0, 3), min_size=0, max_size=4),
    st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool]),
    st.randoms(use_true_random=False),
)
def test_bytes_are_row_major_whatever_the_strides(shape: list[int], dtype: torch.dtype, random: object) -> None:
    tensor = torch.arange(int(np.prod(shape))).reshape(shape).to(dtype)
    order = list(range(len(shape)))
    random.shuffle(order)  # type: ignore[attr-defined]
    inverse = [order.index(axis) for axis in range(len(order))]
    scattered = tensor.permute(order).contiguous().permute(inverse)
    assert torch.equal(scattered, tensor)
    assert row_major_bytes(scattered) == row_major_bytes(tensor)
    if dtype is not torch.bfloat16:
        assert row_major_bytes(tensor) == tensor.numpy().tobytes(order="C")


def test_half_precision_bytes_are_the_upper_half_of_single_precision() -> None:
    values = torch.tensor([1.0, -2.5, 3e30])
    upper = b"".join(struct.pack("<f", value)[2:] for value in values.to(torch.bfloat16).tolist())
    assert row_major_bytes(values.to(torch.bfloat16)) == upper


def test_compiling_does_not_enter_at_any_depth() -> None:
    def build() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)))

    plain, compiled = build(), build()
    assert isinstance(compiled, nn.Sequential)
    compiled[1] = torch.compile(compiled[1])
    whole = torch.compile(compiled)
    assert isinstance(whole, nn.Module)
    assert "_orig_mod.1._orig_mod.0.weight" in dict(whole.named_parameters())
    assert weights_sha256(whole) == weights_sha256(plain)
    assert weights_sha256(whole, without=["_orig_mod.0.bias"]) == weights_sha256(plain, without=["0.bias"])


def test_a_name_that_only_looks_like_that_of_a_compiled_module_stays() -> None:
    def holding(name: str) -> nn.Module:
        module = nn.Module()
        module.add_module(name, nn.LayerNorm(2))
        return module

    assert weights_sha256(holding("my_orig_mod")) != weights_sha256(holding("my"))


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.empty(3, device="meta"), "`a` has no values: it is on the meta device"),
        (torch.eye(3).to_sparse(), "`a` is sparse (torch.sparse_coo)"),
    ],
)
def test_weights_that_are_not_all_here_have_a_reason_instead(tensor: torch.Tensor, reason: str) -> None:
    module = nn.Module()
    module.register_buffer("a", tensor)
    assert hash_or_reason(module) == (None, reason)


def test_sharded_weights_have_a_reason_instead() -> None:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        module = nn.Linear(2, 2)
        module.weight = nn.Parameter(distribute_tensor(torch.ones(2, 2), init_device_mesh("cpu", (1,)), [Shard(0)]))
        digest, reason = hash_or_reason(module)
    finally:
        distributed.destroy_process_group()
    assert (digest, reason) == (None, "`weight` is sharded, and this process has a part of it only")
