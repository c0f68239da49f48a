"""Where cuDNN is off. Of a GPU only its name is needed: the switch is there without one as well."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings
from thawline.probes.recurrent import differentiable_rnns
from thawline.probes.scope import Scope, measuring

RECURRENT = [nn.LSTM(2, 3), nn.GRU(2, 3, bidirectional=True), nn.RNN(2, 3)]


def sequential(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), layer)


@pytest.fixture(params=[True, False], ids=["on before", "off before"])
def before(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(torch.backends.cudnn, "enabled", request.param)
    return bool(request.param)


@pytest.mark.parametrize("layer", RECURRENT, ids=lambda layer: type(layer).__name__)
def test_cudnn_is_off_for_recurrent_layers_on_cuda_and_as_before_afterwards(layer: nn.Module, before: bool) -> None:
    with differentiable_rnns(sequential(layer), "cuda"):
        assert not torch.backends.cudnn.enabled
    assert torch.backends.cudnn.enabled == before
    with pytest.raises(ZeroDivisionError), differentiable_rnns(sequential(layer), "cuda"):
        raise ZeroDivisionError
    assert torch.backends.cudnn.enabled == before


@pytest.mark.parametrize(
    ("layer", "device_type"), [(nn.LSTM(2, 3), "cpu"), (nn.LSTMCell(2, 3), "cuda"), (nn.ReLU(), "cuda")]
)
def test_it_is_left_alone_elsewhere(layer: nn.Module, device_type: str, before: bool) -> None:
    with differentiable_rnns(sequential(layer), device_type):
        assert torch.backends.cudnn.enabled == before


@pytest.mark.parametrize(("layer", "is_on"), [(nn.LSTM(2, 3), False), (nn.Linear(2, 3), True)])
def test_a_measurement_on_cuda_is_made_without_cudnn_where_there_are_recurrent_layers(
    layer: nn.Module, is_on: bool
) -> None:
    on_cuda = Scope(("weight",), (SimpleNamespace(device=torch.device("cuda")),))  # type: ignore[arg-type]
    with measuring(sequential(layer), on_cuda):
        assert torch.backends.cudnn.enabled == is_on
    assert torch.backends.cudnn.enabled


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.fc = nn.LSTM(4, 5, num_layers=2, dropout=0.5, batch_first=True), nn.Linear(5, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.fc(self.lstm(inputs)[0][:, -1])


def signals(device: str) -> list[float]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, inputs = Tagger().to(device), torch.randn(6, 7, 4).to(device)
    batch = (inputs, (torch.arange(6) % 3).to(device))
    prober = Prober(model, ClassificationObjective("fc"), ProbeSet([batch]), ProbeSettings(seed=0))
    return [found.value for found in prober.measure(1, ["fisher_trace", "sharpness_worst", "gradient_norm"])]


@pytest.mark.filterwarnings("ignore:.*differentiated example by example")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_signals_of_a_recurrent_network_on_a_gpu_are_those_of_a_cpu() -> None:
    assert signals("cuda") == pytest.approx(signals("cpu"), rel=1e-3)
