"""Weights that a network begins with: what fits, what is drawn anew, and what is refused before anything trains."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from thawline.errors import UserError
from thawline.models.resnet import build_resnet18, resnet18_blocks
from thawline.models.vgg import build_vgg11, vgg11_blocks
from thawline.models.weights_file import load_weights


def network(seed: int, num_classes: int = 4, width: int = 2) -> nn.Module:
    torch.manual_seed(seed)
    model = build_resnet18(width=width, in_channels=1, num_classes=num_classes)
    # Statistics are weights as well, and begin the same in every network.
    model(torch.randn(8, 1, 28, 28))
    return model


def saved(folder: Path, tensors: dict[str, Tensor]) -> Path:
    path = folder / "weights.safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)
    return path


def load(model: nn.Module, path: Path, sha256: str | None = None) -> bool:
    return load_weights(model, resnet18_blocks(model), path, sha256)


def copies(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_all_of_it_is_read_statistics_included(tmp_path: Path) -> None:
    source, model = network(0), network(1)
    path = saved(tmp_path, source.state_dict())
    assert load(model, path, hashlib.sha256(path.read_bytes()).hexdigest()) is False
    for name, tensor in source.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name


@pytest.mark.parametrize("rename", [False, True], ids=["another size", "another name"])
def test_a_head_of_another_form_stays_as_it_was_drawn(tmp_path: Path, rename: bool) -> None:
    source = network(0, num_classes=4 if rename else 7)
    tensors = {(name.replace("head", "fc") if rename else name): tensor for name, tensor in source.state_dict().items()}
    model = network(1)
    drawn = copies(model)
    assert load(model, saved(tmp_path, tensors)) is True
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, drawn[name] if name.startswith("head.") else source.state_dict()[name]), name


def test_a_head_that_would_fit_is_drawn_anew_where_that_is_asked_for(tmp_path: Path) -> None:
    source, model = network(0), network(1)
    drawn = copies(model)
    path = saved(tmp_path, source.state_dict())
    assert load_weights(model, resnet18_blocks(model), path, None, new_head=True) is True
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, drawn[name] if name.startswith("head.") else source.state_dict()[name]), name


def test_a_head_of_several_layers_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """Its first two layers would fit: half a head is none."""
    torch.manual_seed(0)
    source = build_vgg11(in_channels=1, num_classes=3, head_width=4)
    torch.manual_seed(1)
    model = build_vgg11(in_channels=1, num_classes=2, head_width=4)
    drawn = copies(model)
    assert load_weights(model, vgg11_blocks(model), saved(tmp_path, source.state_dict()), None) is True
    assert all(torch.equal(model.state_dict()[name], drawn[name]) for name in drawn if name.startswith("head."))


def test_a_head_with_statistics_is_one_thing_with_them(tmp_path: Path) -> None:
    """BatchNorm's counts belong to no parameter of the head, but to its layer."""

    def build() -> nn.Module:
        model = network(2)
        model.head = nn.Sequential(nn.BatchNorm1d(16), nn.Linear(16, 4))
        return model

    tensors = copies(build())
    del tensors["head.0.running_mean"]
    model = build()
    assert load(model, saved(tmp_path, tensors)) is True


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: tensors.pop("layer1.0.conv1.weight"), "`layer1.0.conv1.weight` is not in it"),
        (
            lambda tensors: tensors.update({"conv1.weight": torch.zeros(2, 1, 7, 7)}),
            r"`conv1.weight` is [2, 1, 7, 7] in the file and [2, 1, 3, 3] in the network",
        ),
        (lambda tensors: tensors.update({"layer5.weight": torch.zeros(2)}), "`layer5.weight` is in the file only"),
        (
            lambda tensors: tensors.update({"bn1.weight": torch.zeros(2, dtype=torch.int64)}),
            "`bn1.weight` is torch.int64 in the file and torch.float32",
        ),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path: Path, change, said: str) -> None:
    tensors = copies(network(0))
    change(tensors)
    model = network(1)
    before = copies(model)
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        load(model, saved(tmp_path, tensors))
    assert caught.value.code == "wrong_weights"
    assert "model.weights" in str(caught.value.hint)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_deeper_network_is_no_other_head(tmp_path: Path) -> None:
    tensors = copies(network(0, num_classes=9))
    tensors["layer1.2.conv1.weight"] = torch.zeros(2, 2, 3, 3)
    with pytest.raises(UserError, match=r"layer1\.2\.conv1\.weight` is in the file only"):
        load(network(1), saved(tmp_path, tensors))


def test_only_the_first_tensors_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="and 97 more") as caught:
        load(network(1), saved(tmp_path, network(0, width=3).state_dict()))
    assert str(caught.value).count("in the network") == 3


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    tensors = copies(network(0))
    tensors["layer2.0.bn1.running_var"][1] = torch.nan
    with pytest.raises(UserError, match=r"not finite: `layer2\.0\.bn1\.running_var`"):
        load(network(1), saved(tmp_path, tensors))


def test_half_precision_is_widened(tmp_path: Path) -> None:
    tensors = {
        name: tensor.to(torch.bfloat16) if tensor.is_floating_point() else tensor
        for name, tensor in network(0).state_dict().items()
    }
    model = network(1)
    load(model, saved(tmp_path, tensors))
    assert torch.equal(model.state_dict()["conv1.weight"], tensors["conv1.weight"].to(torch.float32))


def test_another_file_than_the_one_that_was_named_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, network(0).state_dict())
    with pytest.raises(UserError, match="is not the file that") as caught:
        load(network(1), path, "0" * 64)
    assert caught.value.code == "changed_weights"


def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="which is no file"):
        load(network(1), tmp_path / "nothing.safetensors")
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"PK\x03\x04 a pickle, perhaps")
    with pytest.raises(UserError, match="is no file of tensors"):
        load(network(1), path)
