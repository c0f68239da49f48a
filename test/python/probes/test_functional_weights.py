"""tr(F) of layers whose weights are used in other ways than by one call of the layer: never left out, never doubled."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import prune

from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings

EXAMPLES = 12


def expected(model: nn.Module, inputs: Tensor) -> float:
    """Equation 2 from its definition, example by example in float64, over the number of trainable numbers."""
    # Back and forth, since not every model can be copied; float32 is the same afterwards.
    model.double().eval()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    total = 0.0
    for example in inputs.double() if inputs.is_floating_point() else inputs:
        log_probabilities = torch.log_softmax(model(example.unsqueeze(0)), -1)[0]
        for value in log_probabilities:
            found = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
            dense = (gradient.to_dense() for gradient in found if gradient is not None)
            total += float(value.detach().exp()) * sum(float(gradient.square().sum()) for gradient in dense)
    model.float()
    return total / len(inputs) / sum(parameter.numel() for parameter in parameters)


def prober_of(model: nn.Module, inputs: Tensor, *, head: str | None = None, batch: int = EXAMPLES) -> Prober:
    labels = torch.zeros(len(inputs), dtype=torch.int64)
    settings = ProbeSettings(seed=0, labels="exact")
    return Prober(model, ClassificationObjective(head), ProbeSet.split(inputs, labels, batch), settings)


def measured(prober: Prober) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prober.measure(1, ["fisher_trace"])[0].value


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.fc = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(torch.tanh(functional.linear(inputs, self.qkv.weight, self.qkv.bias)))


class CosineHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.fc = nn.Linear(6, 6), nn.Linear(6, 4, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        features = functional.normalize(self.body(inputs))
        return 16 * functional.linear(features, functional.normalize(self.fc.weight))


class AlsoPenalized(nn.Module):
    """Its weights also scale the logits, of the later examples only: two examples do not show it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fc = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        logits = self.fc(torch.tanh(self.body(inputs)))
        late = (inputs[:, :1] > 0.5).to(logits)
        return logits * (1 + late * self.body.weight.square().mean())


class Routed(nn.Module):
    """Each example goes to one of two experts, by a sign."""

    def __init__(self) -> None:
        super().__init__()
        self.experts, self.fc = nn.ModuleList(nn.Linear(6, 6) for _ in range(2)), nn.Linear(6, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        features = torch.zeros_like(inputs)
        for chosen, expert in zip((inputs[:, 0] > 0, inputs[:, 0] <= 0), self.experts, strict=True):
            if chosen.any():
                features[chosen] = expert(inputs[chosen])
        return self.fc(torch.tanh(features))


class CastInForward(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.fc = layer, nn.LazyLinear(4)

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=inputs.dtype == torch.float32):
            features = self.layer(inputs).flatten(1)
        return self.fc(features.to(inputs.dtype))


def with_old_weight_norm() -> nn.Module:
    return nn.Sequential(torch.nn.utils.weight_norm(nn.Linear(6, 6)), nn.Tanh(), nn.Linear(6, 4))


def with_spectral_norm() -> nn.Module:
    return nn.Sequential(torch.nn.utils.spectral_norm(nn.Linear(6, 6)), nn.Tanh(), nn.Linear(6, 4))


def pruned() -> nn.Module:
    layer = nn.Linear(6, 6)
    prune.l1_unstructured(layer, "weight", 0.5)
    return nn.Sequential(layer, nn.Tanh(), nn.Linear(6, 4))


def with_one_more_parameter() -> nn.Module:
    layer = nn.Linear(6, 6)
    layer.scale = nn.Parameter(torch.ones(()))
    return nn.Sequential(layer, nn.Tanh(), nn.Linear(6, 4))


MODELS = [
    Functional,
    CosineHead,
    AlsoPenalized,
    Routed,
    with_old_weight_norm,
    with_spectral_norm,
    pruned,
    with_one_more_parameter,
]


@pytest.fixture
def inputs() -> Tensor:
    """The first number of the first examples is another one than of the later: some of the models look at it."""
    drawn = torch.randn(EXAMPLES, 6, generator=torch.Generator().manual_seed(3))
    drawn[:4, 0] = -drawn[:4, 0].abs() - 0.1
    drawn[6:, 0] = drawn[6:, 0].abs() + 0.6
    return drawn


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("batch", [EXAMPLES, 6, 3])
def test_the_trace_is_that_of_the_definition(build, batch: int, inputs: Tensor) -> None:
    torch.manual_seed(1)
    model = build()
    assert measured(prober_of(model, inputs, batch=batch)) == pytest.approx(expected(model, inputs), rel=1e-4)


def test_a_cosine_head_alone_is_measured(inputs: Tensor) -> None:
    torch.manual_seed(1)
    model = CosineHead()
    model.body.requires_grad_(False)
    assert measured(prober_of(model, inputs, head="fc")) == pytest.approx(expected(model, inputs), rel=1e-4)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model_is_measured_at_every_boundary(backend: str, inputs: Tensor) -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 4))
    want = expected(model, inputs)
    prober = prober_of(torch.compile(model, backend=backend), inputs, batch=4)
    assert [measured(prober) for _ in range(3)] == pytest.approx([want] * 3, rel=1e-4)


@pytest.mark.parametrize("layer", [nn.Linear(6, 6), nn.Sequential(nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 4, 2))])
def test_autocast_inside_a_forward_is_measured(layer: nn.Module, inputs: Tensor) -> None:
    torch.manual_seed(1)
    model = CastInForward(copy.deepcopy(layer))
    model(inputs)
    # Half of the bits are the model's own choice.
    assert measured(prober_of(model, inputs)) == pytest.approx(expected(model, inputs), rel=1e-2)


def test_sparse_gradients_of_an_embedding_are_measured_by_every_metric() -> None:
    torch.manual_seed(1)

    class Words(nn.Module):
        def __init__(self, sparse: bool) -> None:
            super().__init__()
            self.words, self.fc = nn.Embedding(20, 6, sparse=sparse), nn.Linear(6, 4)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.fc(self.words(inputs).mean(1))

    tokens = torch.randint(0, 20, (EXAMPLES, 7))
    model, dense = Words(sparse=True), Words(sparse=False)
    dense.load_state_dict(model.state_dict())
    metrics = ["fisher_trace", "sharpness_avg", "sharpness_worst", "gradient_norm"]
    values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in (model, dense):
            found = prober_of(one, tokens).measure(1, metrics)
            values.append([measurement.value for measurement in found])
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert values[0][0] == pytest.approx(expected(model, tokens), rel=1e-4)


def test_a_rule_that_compared_zeros_is_compared_again_when_it_gives_something_else(inputs: Tensor) -> None:
    """LoRA's A has no gradient while B is zero; its layer here computes something else in its forward."""

    class Adapted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.fc = nn.Linear(6, 2, bias=False), nn.Linear(2, 6, bias=False), nn.Linear(6, 4)
            nn.init.zeros_(self.b.weight)
            self.a.forward = lambda x: 2 * functional.linear(x, self.a.weight)  # type: ignore[method-assign]

        def forward(self, inputs: Tensor) -> Tensor:
            return self.fc(torch.tanh(inputs + self.b(self.a(inputs))))

    torch.manual_seed(1)
    model = Adapted()
    prober = prober_of(model, inputs, batch=4)
    before = measured(prober)
    nn.init.normal_(model.b.weight)
    with pytest.warns(UserWarning, match="1 of 4 parameters in scope .'a.weight' first."):
        after = prober.measure(2, ["fisher_trace"])[0].value
    assert after != before
    assert after == pytest.approx(expected(model, inputs), rel=1e-4)
