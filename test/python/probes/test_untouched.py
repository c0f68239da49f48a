"""What a forward pass changes in evaluation mode too is as before after a measurement, and is named."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.errors import UserError
from thawline.probes import OF_WEIGHTS, ClassificationObjective, Prober, ProbeSet, ProbeSettings


class Model(nn.Module):
    """A linear model that does something else on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fc = nn.Linear(6, 6), nn.Linear(6, 4)
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("seen", torch.zeros(0))
        self.queue = torch.zeros(3, 6)
        self.steps = 0
        self.generator = torch.Generator().manual_seed(1)

    def forward(self, inputs: Tensor) -> Tensor:
        self.aside(inputs.detach())
        return self.fc(torch.tanh(self.body(inputs)))

    def aside(self, inputs: Tensor) -> None: ...


class Observer(Model):
    def aside(self, inputs: Tensor) -> None:
        self.mean.lerp_(inputs.mean(0), 0.1)


class Counter(Model):
    def aside(self, inputs: Tensor) -> None:
        self.calls = self.calls + 1


class Growing(Model):
    def aside(self, inputs: Tensor) -> None:
        self.seen.resize_(len(inputs)).copy_(inputs[:, 0])


class PlainCounter(Model):
    def aside(self, inputs: Tensor) -> None:
        self.steps += 1


class Queue(Model):
    def aside(self, inputs: Tensor) -> None:
        self.queue[0] = inputs[0]


STATEFUL = {Observer: "mean", Counter: "calls", Growing: "seen", PlainCounter: "steps", Queue: "queue"}


class Dropout(Model):
    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(functional.dropout(inputs, 0.5))


class OwnGenerator(Model):
    def aside(self, inputs: Tensor) -> None:
        torch.rand((), generator=self.generator)


class OtherRandomness(Model):
    def aside(self, inputs: Tensor) -> None:
        random.random()
        np.random.rand()


def prober_of(model: nn.Module, inputs: Tensor) -> Prober:
    labels = torch.arange(len(inputs)) % 4
    return Prober(model, ClassificationObjective("fc"), ProbeSet.split(inputs, labels, 6), ProbeSettings(seed=0))


def state_of(model: nn.Module) -> dict[str, object]:
    tensors = {f"tensor {name}": tensor.clone() for name, tensor in model.state_dict().items()}
    plain = {name: getattr(model, name) for name in ("steps", "queue") if hasattr(model, name)}
    kept = {name: value.clone() if isinstance(value, Tensor) else value for name, value in plain.items()}
    own = {"own": model.generator.get_state()} if hasattr(model, "generator") else {}
    numbers = torch.from_numpy(np.random.get_state()[1].astype(np.int64))
    return tensors | kept | own | {"random": torch.get_rng_state(), "python": random.getstate(), "numpy": numbers}


def assert_same(before: dict[str, object], after: dict[str, object]) -> None:
    assert before.keys() == after.keys()
    for name, value in before.items():
        now = after[name]
        assert torch.equal(value, now) if isinstance(value, Tensor) else value == now, name


@pytest.fixture
def inputs() -> Tensor:
    return torch.randn(12, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", [Model, *STATEFUL, Dropout, OwnGenerator, OtherRandomness])
def test_a_measurement_by_every_metric_changes_nothing(kind: type[Model], inputs: Tensor) -> None:
    torch.manual_seed(0)
    model = kind()
    before = state_of(model)
    tensors = dict(model.named_buffers())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prober_of(model, inputs).measure(1, OF_WEIGHTS)
    assert_same(before, state_of(model))
    assert all(tensor is tensors[name] for name, tensor in model.named_buffers())


@pytest.mark.parametrize(("kind", "name"), STATEFUL.items())
def test_what_changes_is_named(kind: type[Model], name: str, inputs: Tensor) -> None:
    model = nn.Sequential(kind(), nn.Identity())
    with pytest.warns(UserWarning, match=rf"forward pass changes 0\.{name} in evaluation mode too"):
        Prober(
            model, ClassificationObjective(), ProbeSet([(inputs, torch.arange(12) % 4)]), ProbeSettings(seed=0)
        ).measure(1, ["fisher_trace"])


@pytest.mark.parametrize("kind", [Dropout, OwnGenerator])
def test_randomness_in_evaluation_mode_is_told(kind: type[Model], inputs: Tensor) -> None:
    with pytest.warns(UserWarning, match="draws random numbers in evaluation mode"):
        prober_of(kind(), inputs).check()


def test_a_quiet_model_says_nothing(inputs: Tensor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prober_of(Model(), inputs).measure(1, ["fisher_trace"])


def test_an_embedding_with_a_largest_norm_keeps_its_weights() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.fc = nn.Embedding(20, 6, max_norm=0.5), nn.Linear(6, 4)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.fc(self.words(inputs).mean(1))

    torch.manual_seed(0)
    model, tokens = Words(), torch.randint(0, 20, (12, 7))
    for trains in (True, False):
        model.words.requires_grad_(trains)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prober_of(model, tokens).measure(1, ["fisher_trace", "sharpness_avg", "sharpness_worst", "gradient_norm"])
        assert_same(before, dict(model.state_dict()))


def test_a_forward_that_writes_to_its_weights_is_refused_by_name(inputs: Tensor) -> None:
    class Clipping(Model):
        def aside(self, inputs: Tensor) -> None:
            with torch.no_grad():
                self.body.weight.clamp_(-0.1, 0.1)

    model = Clipping()
    with pytest.raises(UserError, match=r"writes to the weights body\.weight"):
        prober_of(model, inputs).check()


def test_hooks_of_parameters_are_not_called(inputs: Tensor) -> None:
    model, calls = Model(), []
    for parameter in model.parameters():
        parameter.register_hook(calls.append)
    prober_of(model, inputs).measure(1, OF_WEIGHTS)
    assert calls == []
    model(inputs).sum().backward()
    assert len(calls) == 4


def test_observers_of_quantization_stay_as_they_are() -> None:
    quantization = pytest.importorskip("torch.ao.quantization")
    layers = [quantization.QuantStub(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4)]
    model = nn.Sequential(*layers, quantization.DeQuantStub()).train()
    model.qconfig = quantization.get_default_qat_qconfig("fbgemm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantization.prepare_qat(model, inplace=True)
        model(torch.randn(8, 3, 8, 8))
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        batch = (3 * torch.randn(12, 3, 8, 8), torch.arange(12) % 4)
        Prober(model, ClassificationObjective(), ProbeSet([batch]), ProbeSettings(seed=0)).measure(1, ["fisher_trace"])
    assert_same(before, dict(model.state_dict()))
