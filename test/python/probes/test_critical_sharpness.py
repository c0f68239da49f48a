"""Critical sharpness against closed forms, its passes, what it leaves alone, and where it has no value."""

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_tower import STAGES, TowerObjective, build_tower, tower_probe_set, tower_settings
from torch import nn

from thawline.errors import UserError
from thawline.probes import Prober, ProbeSet, ProbeSettings, UpdateRule
from thawline.probes.critical_sharpness import RELATIVE_WIDTH, find_critical_rate


class LeastSquares(nn.Module):
    """[n, features] -> [n], in float64: its mean squared error is a quadratic of the weights."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, dtype=torch.float64))

    def forward(self, inputs):
        return inputs @ self.weight


class HalfSquares:
    def logits(self, model, batch):
        return [torch.stack([model(batch[0]), -model(batch[0])], dim=1)]

    def loss(self, model, batch):
        return (model(batch[0]) - batch[1]).square() / 2


def measured(prober, update=10):
    return {m.key.removeprefix("probe/"): m for m in prober.measure(update, ["critical_sharpness"])}


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 30), st.floats(-8, 8))
@settings(max_examples=60, deadline=None)
def test_on_a_quadratic_it_is_the_curvature_along_the_gradient(seed, features, points, scale):
    """lambda_c = g'Hg / g'g for SGD without momentum, whatever the scale of the inputs and the size of the batches."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(points, features, dtype=torch.float64, generator=generator) * 2.0**scale
    targets = torch.randn(points, dtype=torch.float64, generator=generator)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LeastSquares(features)
    rule = UpdateRule(torch.optim.SGD(model.parameters(), lr=0.1))
    probe_set = ProbeSet.split(inputs, targets, batch_size=7)
    found = measured(Prober(model, HalfSquares(), probe_set, ProbeSettings(seed=0), update_rule=rule))
    with torch.no_grad():
        gradient = inputs.T @ (inputs @ model.weight - targets) / points
        along = inputs @ gradient
        expected = float(along @ along / points / (gradient @ gradient))
    assert found["critical_sharpness"].value == pytest.approx(expected, rel=1e-6)
    assert found["critical_learning_rate"].value == pytest.approx(2 / expected, rel=1e-6)


@given(
    st.floats(-6, 6),
    st.floats(-3, 3),
    st.sampled_from([1.5, 2.0, 3.0, 4.0]),
    st.floats(0.01, 100.0),
)
@settings(max_examples=200, deadline=None)
def test_the_bracket_holds_the_crossing_of_any_power_and_the_trials_are_counted(place, first, power, slope):
    """f(x) = s x ((x / root)^(power - 1) - 1), whose only crossing is `root`; the first trial may be far from it."""
    root = 10.0**place
    trials = []

    def increases(rate):
        trials.append(rate)
        return torch.tensor([slope * rate * ((rate / root) ** (power - 1) - 1)], dtype=torch.float64)

    found = find_critical_rate(increases, -slope, [root * 1e-9, root * 10.0**first, root * 1e9])
    assert found.rate == pytest.approx(root, rel=RELATIVE_WIDTH)
    assert found.value == 2 / found.rate
    assert len(trials) <= 15
    if power == 2.0 and abs(first) < 2:
        assert len(trials) <= 8


def test_a_diverged_loss_raises_and_one_that_always_falls_is_flat_and_said():
    steep = find_critical_rate(
        lambda rate: torch.tensor([-rate if rate < 1.0 else math.inf], dtype=torch.float64), -1.0, [1e-6, 0.1, 1e6]
    )
    assert steep.rate == pytest.approx(1.0, rel=RELATIVE_WIDTH)
    assert steep.influences is None
    with pytest.warns(UserWarning, match="critical_sharpness is 0 where no update"):
        flat = find_critical_rate(lambda rate: torch.tensor([-rate], dtype=torch.float64), -1.0, [1e-6, 0.1, 1e6])
    assert (flat.value, flat.rate, flat.influences) == (0.0, math.inf, None)


def tower_prober(tower, optimizer, **changes):
    rule = UpdateRule(optimizer)
    return Prober(tower, TowerObjective(), tower_probe_set(), tower_settings(**changes), STAGES, rule)


def train(tower, optimizer, updates, measure=lambda update: None):
    """A few updates on the probe points themselves; `measure` is called before each."""
    objective, batches = TowerObjective(), tower_probe_set().batches
    losses = []
    for update in range(1, updates + 1):
        measure(update)
        optimizer.zero_grad()
        loss = objective.loss(tower, batches[update % len(batches)]).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.5),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=1e-3),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("scope", ["trainable", "all"])
def test_a_training_is_the_same_with_and_without_it(name, scope):
    runs = []
    for probed in (False, True):
        tower = build_tower()
        optimizer = OPTIMIZERS[name](tower.parameters())
        prober = tower_prober(
            tower, optimizer, scope=scope, all_parameter_names=[name for name, _ in tower.named_parameters()]
        )

        def measure(update, prober=prober, probed=probed):
            if probed:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    prober.measure(update, ["critical_sharpness"])

        losses = train(tower, optimizer, 5, measure)
        state = [value for held in optimizer.state.values() for value in held.values() if value is not None]
        runs.append((losses, [*tower.parameters(), *state], torch.get_rng_state()))
    plain, watched = runs
    assert plain[0] == watched[0]
    assert len(plain[1]) == len(watched[1])
    assert all(torch.equal(one, other) for one, other in zip(plain[1], watched[1], strict=True))
    assert torch.equal(plain[2], watched[2])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_update_just_below_the_critical_rate_lowers_the_loss_and_one_just_above_raises_it(name):
    """By the optimizer itself, given the gradient of all probe points."""
    objective, batches = TowerObjective(), tower_probe_set().batches

    def loss_of(tower):
        return sum(objective.loss(tower, batch).sum() for batch in batches) / 13

    changes = {}
    for share in (0.0, 0.97, 1.03):
        tower = build_tower()
        optimizer = OPTIMIZERS[name](tower.parameters())
        train(tower, optimizer, 3)
        found = measured(tower_prober(tower, optimizer))
        before = loss_of(tower)
        optimizer.zero_grad()
        before.backward()
        for group in optimizer.param_groups:
            group["lr"] = share * found["critical_learning_rate"].value
        optimizer.step()
        changes[share] = float((loss_of(tower) - before).detach())
        assert found["critical_sharpness"].value == 2 / found["critical_learning_rate"].value
        assert found["critical_sharpness"].standard_error > 0
    assert changes[0.0] == pytest.approx(0.0, abs=1e-6)
    assert changes[0.97] < 0 < changes[1.03]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_takes_five_to_ten_forward_passes_and_one_backward(name):
    tower = build_tower()
    optimizer = OPTIMIZERS[name](tower.parameters())
    prober = tower_prober(tower, optimizer)
    for update in range(10, 60, 10):
        train(tower, optimizer, 2)
        prober.measure(update, ["gradient_norm"])  # What is frozen runs now, and is compared.
        tower.tally.forwards = tower.tally.backwards = 0
        measured(prober, update)
        batches = len(tower_probe_set().batches)
        assert 5 <= tower.tally.forwards / batches <= 10
        assert tower.tally.backwards == batches


def test_the_closed_form_of_a_linear_head_gives_the_same():
    tower = build_tower(("head.",))
    optimizer = OPTIMIZERS["momentum"](tower.parameters())
    train(tower, optimizer, 3)
    found = measured(tower_prober(tower, optimizer))["critical_sharpness"]

    class Plain(TowerObjective):
        head = None

    rule = UpdateRule(optimizer)
    plain = Prober(tower, Plain(), tower_probe_set(), tower_settings(), STAGES, rule)
    general = measured(plain)["critical_sharpness"]
    assert found.value == pytest.approx(general.value, rel=1e-4)
    assert found.standard_error == pytest.approx(general.standard_error, rel=1e-3)


def test_before_the_first_update_it_has_no_value_and_says_so():
    tower = build_tower()
    prober = tower_prober(tower, OPTIMIZERS["sgd"](tower.parameters()))
    with pytest.warns(UserWarning, match="no value before the first update"):
        found = prober.measure(1, ["gradient_norm", "critical_sharpness"])
    assert [m.key for m in found] == ["probe/gradient_norm", "probe/loss"]


def test_an_optimizer_that_cannot_show_its_step_is_refused_at_the_first_boundary():
    tower = build_tower()
    with pytest.raises(UserError, match="LBFGS does not show"):
        measured(tower_prober(tower, torch.optim.LBFGS(tower.parameters())), update=1)
    bare = Prober(tower, TowerObjective(), tower_probe_set(), tower_settings(), STAGES)
    with pytest.raises(UserError, match="this prober was given none"):
        measured(bare)


def test_momentum_that_points_uphill_makes_it_infinite_and_weights_that_diverged_make_it_nan():
    tower = build_tower()
    optimizer = torch.optim.SGD(tower.parameters(), lr=0.1, momentum=0.9)
    train(tower, optimizer, 2)
    for held in optimizer.state.values():
        if held.get("momentum_buffer") is not None:
            held["momentum_buffer"].mul_(-100.0)
    with pytest.warns(UserWarning, match="points uphill"):
        assert measured(tower_prober(tower, optimizer))["critical_sharpness"].value == math.inf
    nn.init.constant_(tower.head.weight, math.nan)
    found = measured(tower_prober(tower, optimizer))["critical_sharpness"]
    assert math.isnan(found.value)
    assert found.standard_error is None


def test_errors_of_changes_are_those_of_the_paired_points():
    tower = build_tower()
    optimizer = OPTIMIZERS["sgd"](tower.parameters())
    prober = tower_prober(tower, optimizer, tau=2)
    found = []
    for update in (10, 20, 30):
        train(tower, optimizer, 1)
        found.append(measured(prober, update)["critical_sharpness"])
    assert found[0].change_standard_error is None
    assert 0 < found[1].change_standard_error < found[1].standard_error + found[0].standard_error
    assert found[2].span_standard_error is not None
