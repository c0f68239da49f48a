import math

import pytest
import torch

from thawline.models.vgg import build_vgg11, vgg11_blocks
from thawline.steering.blocks import first_head_layer_name, linear_head_name

pytestmark = pytest.mark.usefixtures("torch_settings")

CONVOLUTION_COUNTS = [1_792, 73_856, 295_168, 590_080, 1_180_160, 2_359_808, 2_359_808, 2_359_808]


def num_params(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts_are_the_published_ones():
    model = build_vgg11(in_channels=3, num_classes=10)
    assert num_params(model) == 9_750_922
    assert [num_params(model.get_submodule(f"conv{i}")) for i in range(1, 9)] == CONVOLUTION_COUNTS
    assert num_params(model.head) == 2 * (512 * 512 + 512) + 512 * 10 + 10
    assert num_params(build_vgg11(in_channels=3, num_classes=10, batch_norm=True)) == 9_750_922 + 5_504
    narrow = build_vgg11(in_channels=3, num_classes=10, head_width=8)
    assert num_params(narrow.head) == (512 * 8 + 8) + (8 * 8 + 8) + (8 * 10 + 10)


def test_five_poolings_leave_one_position_of_a_32_x_32_image():
    model = build_vgg11(in_channels=3, num_classes=7, head_width=4)
    sizes = []
    for number in range(1, 9):
        model.get_submodule(f"conv{number}").register_forward_hook(
            lambda module, inputs, output: sizes.append(output.shape[-1])
        )
    assert model.features(torch.randn(2, 3, 32, 32)).shape == (2, 512)
    assert sizes == [32, 16, 8, 8, 4, 4, 2, 2]
    assert model(torch.randn(2, 3, 64, 48)).shape == (2, 7)


def test_convolutions_start_with_the_fan_out_law_and_no_bias():
    model = build_vgg11(in_channels=3, num_classes=10)
    for number in (4, 8):
        convolution = model.get_submodule(f"conv{number}")
        expected = math.sqrt(2 / (9 * convolution.out_channels))
        # A standard deviation of n normal numbers is off by about 1 / sqrt(2 n) of itself: here below 0.1 %.
        assert convolution.weight.std().item() == pytest.approx(expected, rel=0.01)
        assert not convolution.bias.any()


def test_dropout_acts_in_training_only():
    images = torch.randn(2, 3, 32, 32)
    model = build_vgg11(in_channels=3, num_classes=5, dropout=0.5, head_width=16)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_parameter_gets_a_gradient(batch_norm):
    model = build_vgg11(in_channels=3, num_classes=4, batch_norm=batch_norm, head_width=8)
    model(torch.randn(8, 3, 32, 32)).logsumexp(dim=1).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_vgg11_has_eight_blocks_from_the_top_down():
    model = build_vgg11(in_channels=3, num_classes=10)
    block_map = vgg11_blocks(model)
    assert [block.name for block in block_map.blocks] == [f"conv{i}" for i in (8, 7, 6, 5, 4, 3, 2, 1)]
    assert [block.num_params for block in block_map.blocks] == [
        *[2_359_808] * 3,
        1_180_160,
        590_080,
        295_168,
        73_856,
        1_792,
    ]
    assert block_map.head.num_params == 530_442
    assert (linear_head_name(model, block_map), first_head_layer_name(model, block_map)) == (None, "head.1")
    assert block_map.num_params == 9_750_922


def test_a_batch_norm_of_vgg11_belongs_to_its_convolution():
    block_map = vgg11_blocks(build_vgg11(in_channels=1, num_classes=2, batch_norm=True, head_width=2))
    assert block_map.blocks[-1].parameter_names == ("conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias")
