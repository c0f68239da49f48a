"""Features that are kept follow what the forward depends on, also where no tensor holds it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings

TAU = 1.0
OPTIONS = SimpleNamespace(tau=np.ones(1))


def global_tau() -> float:
    return TAU * OPTIONS.tau[0]


def enclosed_tau(tau: list[float]) -> Callable[[], float]:
    return lambda: tau[0]


ENCLOSED = [1.0]


class Annealed(nn.Module):
    """A temperature in a number, in an object, in a list or in a tensor that is no buffer; or outside of the module."""

    class_tau = 1.0
    own_tau = staticmethod(enclosed_tau(ENCLOSED))

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fc = nn.Linear(6, 8), nn.Linear(8, 3)
        self.tau = 1.0
        self.config = SimpleNamespace(sub={"tau": 1.0})
        self.scales = [1.0, 1.0]
        self.tensor = torch.ones(())
        self.body.requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        scale = self.tau * self.config.sub["tau"] * self.scales[1] * self.tensor
        scale = scale * global_tau() * self.class_tau * self.own_tau() * float(os.environ.get("TEST_TAU", "1"))
        return self.fc(torch.tanh(self.body(inputs) / scale))


def set_number(model: Annealed) -> None:
    model.tau = 0.2


def set_in_object(model: Annealed) -> None:
    model.config.sub["tau"] = 0.2


def set_in_list(model: Annealed) -> None:
    model.scales[1] = 0.2


def set_tensor(model: Annealed) -> None:
    model.tensor.fill_(0.2)


def set_variable_of_the_file(model: Annealed) -> None:
    global TAU
    TAU = 0.2


def set_in_array(model: Annealed) -> None:
    OPTIONS.tau[0] = 0.2


def set_in_closure(model: Annealed) -> None:
    ENCLOSED[0] = 0.2


def set_in_class(model: Annealed) -> None:
    Annealed.class_tau = 0.2


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    yield
    global TAU
    TAU = OPTIONS.tau[0] = ENCLOSED[0] = Annealed.class_tau = 1.0


def change_nothing(model: Annealed) -> None: ...


CHANGES = [
    set_number,
    set_in_object,
    set_in_list,
    set_tensor,
    set_variable_of_the_file,
    set_in_array,
    set_in_closure,
    set_in_class,
    change_nothing,
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_value_is_that_of_a_fresh_prober(change) -> None:
    torch.manual_seed(0)
    model, inputs = Annealed(), torch.randn(16, 6)

    def fresh() -> Prober:
        labels = torch.arange(16) % 3
        return Prober(model, ClassificationObjective("fc"), ProbeSet.split(inputs, labels, 8), ProbeSettings(seed=0))

    prober = fresh()
    before = prober.measure(1, ["fisher_trace"])[0].value
    calls = []
    handle = model.body.register_forward_hook(lambda *_: calls.append(1))
    change(model)
    after = prober.measure(11, ["fisher_trace"])[0].value
    handle.remove()
    assert after == fresh().measure(1, ["fisher_trace"])[0].value
    assert (after == before) == (change is change_nothing) == (calls == [])


@pytest.mark.parametrize("of_head", [True, False])
def test_what_nobody_can_see_is_found_by_a_fresh_pass(monkeypatch: pytest.MonkeyPatch, of_head: bool) -> None:
    """A variable of the environment: every third measurement looks, says so once, and nothing is kept from then on."""
    torch.manual_seed(0)
    model, inputs = Annealed(), torch.randn(16, 6)
    labels = torch.arange(16) % 3

    def prober(check_every: int) -> Prober:
        settings = ProbeSettings(seed=0, check_every=check_every)
        objective = ClassificationObjective("fc" if of_head else None)
        return Prober(model, objective, ProbeSet.split(inputs, labels, 8), settings, ["body", "fc"])

    checked, unchecked = prober(3), prober(0)
    values: list[float] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for update in range(1, 8):
            monkeypatch.setenv("TEST_TAU", "1" if update < 2 else "0.2")
            values.append(checked.measure(update, ["fisher_trace"])[0].value)
            unchecked.measure(update, ["fisher_trace"])
    fresh = prober(0).measure(1, ["fisher_trace"])[0].value
    assert values[:3] == [values[0]] * 3
    assert values[3:] == [fresh] * 4
    assert [str(w.message).split(",")[0] for w in caught if "changed" in str(w.message)] == [
        f"{'the features before the head' if of_head else 'the inputs of the lowest layer in scope'} have changed"
    ]


def test_a_check_of_what_has_not_changed_says_nothing_and_changes_no_value() -> None:
    torch.manual_seed(0)
    model, inputs = Annealed(), torch.randn(16, 6)
    probe_set = ProbeSet.split(inputs, torch.arange(16) % 3, 8)
    found = []
    for check_every in (0, 1):
        prober = Prober(model, ClassificationObjective(), probe_set, ProbeSettings(seed=0, check_every=check_every))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found.append([prober.measure(update, ["fisher_trace"])[0].value for update in (1, 2, 3)])
    assert found[0] == found[1]
