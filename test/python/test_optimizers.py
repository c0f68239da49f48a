import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.config import ConstantSchedule, TrainConfig
from thawline.optimizers import build_sgd


def small_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))


def settings(momentum: float) -> TrainConfig:
    return TrainConfig("sgd", 0.1, momentum, 0.01, 8, None, 12, ConstantSchedule(), None)


def train(momentum: float, fused: bool) -> dict[str, Tensor]:
    """Twelve updates; the convolution is frozen until the sixth, as a block is."""
    model = small_model()
    optimizer = build_sgd(model, settings(momentum), fused=fused)
    generator = torch.Generator().manual_seed(1)
    for update in range(1, 13):
        for parameter in model[0].parameters():
            parameter.requires_grad_(update >= 6)
        inputs = torch.randn(8, 1, 8, 8, generator=generator)
        labels = torch.randint(0, 3, (8,), generator=generator)
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_fused_sgd_trains_through_a_release_to_the_same_weights(momentum: float) -> None:
    plain, fused = train(momentum, fused=False), train(momentum, fused=True)
    for name in plain:
        torch.testing.assert_close(fused[name], plain[name], rtol=1e-4, atol=1e-6)
    assert not torch.equal(plain["0.weight"], small_model().state_dict()["0.weight"])
