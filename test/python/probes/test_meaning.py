"""What has no meaning as a signal is refused when a run begins, in one sentence."""

from __future__ import annotations

from collections import namedtuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from thawline.errors import UserError
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings

EXAMPLES = 8
INPUTS = torch.randn(EXAMPLES, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(EXAMPLES) % 4


def network(classes: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, classes))


class Squeezing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs).squeeze()


class Contrastive(ClassificationObjective):
    def loss(self, model: nn.Module, batch: object) -> Tensor:
        (logits,) = self.logits(model, batch)
        features = functional.normalize(logits)
        return -torch.log_softmax(features @ features.T, -1).diagonal()


class MeanLoss(ClassificationObjective):
    def loss(self, model: nn.Module, batch: object) -> Tensor:
        return super().loss(model, batch).mean()


def begin(model: nn.Module, batch: object, objective: ClassificationObjective | None = None) -> Prober:
    prober = Prober(model, objective or ClassificationObjective(), ProbeSet([batch]), ProbeSettings(seed=0))
    prober.check()
    return prober


def of_batches(inputs: int, **settings: bool) -> nn.Module:
    return nn.Sequential(nn.BatchNorm1d(inputs, **settings), network())


class Mixed(nn.Module):
    """Its first layer is of another type than its last one, as after a conversion of a part."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8).bfloat16(), nn.Linear(8, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.first(inputs).float())


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.fc = nn.GRU(6, 8, batch_first=True), nn.Linear(8, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(self.rnn(inputs[:, None])[0][:, 0])


IGNORED = LABELS.clone()
IGNORED[3] = -100

REFUSED = {
    "one logit": (lambda: network(1), (INPUTS, LABELS * 0), None, r"the logits are \[2, 1\], of one class"),
    "one logit, flat": (
        lambda: nn.Sequential(network(1), nn.Flatten(0)),
        (INPUTS, LABELS * 0),
        None,
        r"are \[2\], not",
    ),
    "token logits": (network, (INPUTS[:, None].repeat(1, 5, 1), LABELS), None, r"the logits are \[2, 5, 4\], and one"),
    "squeezed": (Squeezing, (INPUTS, LABELS), None, r"the logits of a batch of 1 are \[4\], not \[1, classes\]"),
    "soft labels": (network, (INPUTS, functional.one_hot(LABELS, 4).float()), None, r"labels are float32 \[8, 4\]"),
    "ignored label": (network, (INPUTS, IGNORED), None, "there is a label -100, and the classes are 0 to 3"),
    "too large a label": (network, (INPUTS, LABELS + 1), None, "there is a label 4, and the classes are 0 to 3"),
    "labels in a column": (network, (INPUTS, LABELS[:, None]), None, r"the labels are \[8, 1\], not \[8\]"),
    "a mapping": (
        network,
        {"input_ids": INPUTS, "labels": LABELS},
        None,
        r"\(inputs, labels\), got a mapping of input_ids",
    ),
    "three of them": (network, (INPUTS, INPUTS, LABELS), None, r"\(inputs, labels\), got 3 of them"),
    "contrastive": (network, (INPUTS, LABELS), Contrastive(), "an example's loss is .* alone and .* beside another"),
    "mean loss": (network, (INPUTS, LABELS), MeanLoss(), r"the loss of 2 examples is \[\], not \[2\]"),
    "another type": (lambda: network().double(), (INPUTS, LABELS), None, "batches are float32, and .* float64"),
    "bfloat16 in part": (Mixed, (INPUTS, LABELS), None, "batches are float32, and .* weights bfloat16, float32: mat1"),
    "a bfloat16 GRU": (lambda: Recurrent().bfloat16(), (INPUTS, LABELS), None, "batches are float32, and .* bfloat16"),
    "statistics of batches": (
        lambda: of_batches(6, track_running_stats=False),
        (INPUTS, LABELS),
        None,
        r"the BatchNorm layer '0' has no running statistics",
    ),
    "bfloat16": (lambda: network().bfloat16(), (INPUTS, LABELS), None, "batches are float32, and .* bfloat16"),
}


INSTEAD = {
    "one logit": "`BinaryObjective`",
    "one logit, flat": "`BinaryObjective`",
    "token logits": "`CausalLanguageModelObjective`",
    "soft labels": "`MultiLabelObjective`",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused(name: str) -> None:
    build, batch, objective, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence) as caught:
        begin(build(), batch, objective)
    assert caught.value.hint
    assert INSTEAD.get(name, "") in caught.value.hint
    assert caught.value.code.startswith("probe_")


def test_batch_norm_with_running_statistics_is_measured() -> None:
    assert begin(of_batches(6), (INPUTS, LABELS)).measure(1, ["fisher_trace"])[0].value > 0


def test_an_error_of_the_models_own_is_its_own() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        begin(network(), (INPUTS[:, :5], LABELS))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_any_type_of_numbers_that_both_have_is_taken(dtype: torch.dtype) -> None:
    prober = begin(network().to(dtype), (INPUTS.to(dtype), LABELS))
    assert prober.measure(1, ["fisher_trace"])[0].value > 0


def test_a_named_tuple_is_a_batch() -> None:
    pair = namedtuple("pair", "inputs labels")(INPUTS, LABELS)
    first, second = (begin(network(), batch).measure(1, ["fisher_trace"])[0].value for batch in (pair, tuple(pair)))
    assert first == second


def test_one_example_is_enough() -> None:
    assert begin(network(), (INPUTS[:1], LABELS[:1])).measure(1, ["fisher_trace"])[0].value > 0
