import pytest
from torch import nn

from thawline.errors import UserError
from thawline.models.resnet import build_resnet18
from thawline.steering.blocks import (
    blocks_from_patterns,
    first_head_layer_name,
    linear_head_name,
)


@pytest.fixture
def model() -> nn.Sequential:
    """Parameters 0.weight, 0.bias, 1.weight, 1.bias, 2.weight, 2.bias."""
    return nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 5))


def message(model: nn.Module, patterns: list[tuple[str, str]], head: str = r"^2\.") -> str:
    with pytest.raises(UserError) as caught:
        blocks_from_patterns(model, patterns, head)
    assert caught.value.code == "invalid_blocks"
    return caught.value.message


def test_blocks_keep_the_order_of_their_patterns(model):
    block_map = blocks_from_patterns(model, [("lower", r"^0\."), ("upper", r"^1\.")], r"^2\.")
    assert [block.name for block in block_map.blocks] == ["lower", "upper"]
    assert block_map.blocks[0].parameter_names == ("0.weight", "0.bias")
    assert block_map.num_params == 9 + 12 + 20


def test_blocks_of_a_part_of_the_model_leave_the_rest_out(model):
    block_map = blocks_from_patterns(model, [("all", r"^[01]\.")], r"^2\.", among={"0.bias", "1.bias", "2.bias"})
    assert [block.parameter_names for block in (*block_map.blocks, block_map.head)] == [
        ("0.bias", "1.bias"),
        ("2.bias",),
    ]
    assert block_map.num_params == 3 + 3 + 5
    assert block_map.trainable_from_start == ()
    with pytest.raises(UserError, match=r"no block has the parameters 1\.bias"):
        blocks_from_patterns(model, [("lower", r"^0\.")], r"^2\.", among={"0.bias", "1.bias", "2.bias"})


def test_a_parameter_in_no_block_is_named(model):
    assert "1.weight, 1.bias" in message(model, [("lower", r"^0\.")])


def test_a_long_list_of_missing_parameters_is_cut():
    assert message(build_resnet18(width=2, in_channels=1, num_classes=2), [("stem", "^conv1")], "^head").endswith(
        "more"
    )


def test_a_parameter_in_two_blocks_is_named(model):
    assert message(model, [("lower", r"^[01]\."), ("upper", r"^1\.")]) == (
        r"the parameter 1.weight matches the patterns of more than one block: `^[01]\.` of `lower`, `^1\.` of `upper`"
    )


def test_a_parameter_in_a_block_and_in_the_head_is_named(model):
    text = message(model, [("lower", r"^0\."), ("upper", r"^[12]")])
    assert text.endswith(r"more than one block: `^[12]` of `upper`, `^2\.` of `head`")


def test_a_pattern_without_parameters_is_named_and_so_is_a_parameter(model):
    assert message(model, [("all", r"^0\."), ("ghost", "^9")]) == (
        "the pattern `^9` of block `ghost` matches no parameter, for example not 1.weight"
    )
    assert "`^9` of block `head` matches no parameter" in message(model, [("all", r"^[012]\.")], "^9")
    assert message(nn.Sequential(), [("all", "")]).endswith("matches no parameter: the model has none")


def test_a_broken_pattern_is_named(model):
    assert "`(` of block `lower` is not a regular expression" in message(model, [("lower", "(")])


def test_block_names_are_unique(model):
    assert "`lower` is used twice" in message(model, [("lower", r"^0\."), ("lower", r"^1\.")])
    assert "`head` is used twice" in message(model, [("head", r"^[01]\.")])


@pytest.mark.parametrize(
    ("head", "found", "first"),
    [
        (nn.Linear(2, 3), "top", "top"),
        (nn.Linear(2, 3, bias=False), "top", "top"),
        (nn.Sequential(nn.Dropout(0.1), nn.Linear(2, 3)), "top.1", "top.1"),
        (nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 3)), None, "top.0"),
        (nn.Sequential(nn.LayerNorm(2), nn.Linear(2, 3)), None, "top.1"),
        (nn.Conv2d(2, 3, 1), None, None),
    ],
)
def test_linear_layers_of_a_head_are_found_by_name(head, found, first):
    model = nn.ModuleDict({"body": nn.Linear(2, 2), "top": head})
    block_map = blocks_from_patterns(model, [("body", "^body")], "^top")
    assert linear_head_name(model, block_map) == found
    assert first_head_layer_name(model, block_map) == first


def test_half_of_a_linear_layer_is_no_linear_head(model):
    block_map = blocks_from_patterns(model, [("rest", r"^([01]\.|2\.weight)")], r"^2\.bias$")
    assert linear_head_name(model, block_map) is None
