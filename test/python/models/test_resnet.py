import pytest
import torch

from thawline.config.run import ResNet18Config
from thawline.errors import UserError
from thawline.models.family import ImageTask
from thawline.models.resnet import RESNET18, build_resnet18, resnet18_blocks


def num_params(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("width", "in_channels", "num_classes", "expected"),
    [(64, 3, 10, 11_173_962), (64, 1, 10, 11_172_810), (64, 3, 100, 11_220_132), (8, 1, 10, 176_258)],
)
def test_parameter_counts(width, in_channels, num_classes, expected):
    assert num_params(build_resnet18(width=width, in_channels=in_channels, num_classes=num_classes)) == expected


def test_parameter_counts_of_the_parts():
    model = build_resnet18(in_channels=3, num_classes=10)
    counts = {name: num_params(part) for name, part in model.named_children()}
    assert counts.pop("conv1") + counts.pop("bn1") == 1_856
    assert counts == {"layer1": 147_968, "layer2": 525_568, "layer3": 2_099_712, "layer4": 8_393_728, "head": 5_130}


@pytest.mark.parametrize("side", [28, 32])
def test_both_image_sizes_end_at_4_x_4(side):
    model = build_resnet18(width=4, in_channels=1, num_classes=10)
    sizes = []
    model.layer4.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape)))
    images = torch.randn(2, 1, side, side)
    assert model.features(images).shape == (2, 32)
    assert model(images).shape == (2, 10)
    assert sizes == [(2, 32, 4, 4)] * 2


@pytest.mark.parametrize(("side", "pooled"), [(17, 5), (28, 7), (32, 8), (224, 56)])
def test_the_published_stem_leaves_a_sixteenth_of_the_pixels_under_the_same_names(side, pooled):
    model = build_resnet18(width=4, in_channels=1, num_classes=10, stem="imagenet").eval()
    sizes = []
    model.layer1.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[2:]))
    assert model(torch.randn(2, 1, side, side)).shape == (2, 10)
    assert sizes == [(pooled, pooled)]
    small = build_resnet18(width=4, in_channels=1, num_classes=10)
    assert list(model.state_dict()) == list(small.state_dict())
    assert [block.name for block in resnet18_blocks(model).blocks] == ["layer4", "layer3", "layer2", "layer1", "stem"]


def test_the_published_stem_refuses_images_that_it_would_leave_nothing_of():
    def build(side):
        config = ResNet18Config(stem="imagenet", width=2, weights=None, weights_sha256=None, weights_head="fitting")
        return RESNET18.build(config, ImageTask(torch.zeros(2, 1, side, side), num_classes=2))

    assert build(17) is not None
    with pytest.raises(UserError, match="leave nothing of images of 16 x 16"):
        build(16)


def test_logits_are_the_head_of_the_features():
    model = build_resnet18(width=4, in_channels=3, num_classes=7).eval()
    images = torch.randn(2, 3, 28, 28)
    assert torch.equal(model(images), model.head(model.features(images)))


def test_every_parameter_gets_a_gradient():
    model = build_resnet18(width=4, in_channels=1, num_classes=10)
    model(torch.randn(4, 1, 28, 28)).logsumexp(dim=1).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_the_global_generator_decides_the_initial_weights():
    def build(seed):
        torch.manual_seed(seed)
        return torch.nn.utils.parameters_to_vector(build_resnet18(width=2, in_channels=1, num_classes=2).parameters())

    assert torch.equal(build(0), build(0))
    assert not torch.equal(build(0), build(1))


def test_resnet18_has_five_blocks_from_the_top_down():
    block_map = resnet18_blocks(build_resnet18(in_channels=3, num_classes=10))
    assert [(block.name, block.num_params) for block in block_map.blocks] == [
        ("layer4", 8_393_728),
        ("layer3", 2_099_712),
        ("layer2", 525_568),
        ("layer1", 147_968),
        ("stem", 1_856),
    ]
    assert (block_map.head.name, block_map.head.num_params) == ("head", 5_130)
    assert block_map.head.parameter_names == ("head.weight", "head.bias")
    assert block_map.num_params == 11_173_962


def test_resnet18_blocks_hold_every_parameter_once():
    model = build_resnet18(width=2, in_channels=1, num_classes=10)
    block_map = resnet18_blocks(model)
    names = [name for block in (*block_map.blocks, block_map.head) for name in block.parameter_names]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    assert block_map.blocks[-1].parameter_names == ("conv1.weight", "bn1.weight", "bn1.bias")
