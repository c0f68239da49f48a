import hashlib

import pytest
import torch
from torch import nn

from thawline.errors import UserError
from thawline.probes import (
    OF_WEIGHTS,
    PAPER_SIGNALS,
    ClassificationObjective,
    Interrupted,
    Prober,
    ProbeSet,
    ProbeSettings,
)
from thawline.probes.standard_errors import error_over_draws_and_points, error_over_points, error_within_batches

HEAD = ("fc.weight", "fc.bias")


def all_settings(network, **changes):
    names = tuple(name for name, _ in network.named_parameters())
    return ProbeSettings(**{"seed": 1, "scope": "all", "all_parameter_names": names, **changes})


def snapshot(network):
    """Everything a probe must leave alone, with tensors by their bytes."""
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return {
        "bytes": {name: hashlib.sha256(t.detach().numpy().tobytes()).hexdigest() for name, t in tensors.items()},
        "identity": {name: (id(t), t.data_ptr()) for name, t in tensors.items()},
        "requires_grad": {name: p.requires_grad for name, p in network.named_parameters()},
        "gradients": {
            name: (id(p.grad), None if p.grad is None else p.grad.sum().item())
            for name, p in network.named_parameters()
        },
        "training": [module.training for module in network.modules()],
        "hooks": [len(module._forward_hooks) for module in network.modules()],
        "random state": torch.get_rng_state().tolist(),
        "gradient mode": torch.is_grad_enabled(),
    }


def nudge(network, amount=0.05):
    with torch.no_grad():
        network.fc.weight.mul_(1 + amount)


def by_key(measurements):
    return {measurement.key: measurement for measurement in measurements}


@pytest.mark.parametrize("scope", ["trainable", "all"])
def test_the_model_comes_back_as_it_was(network, probe_set, objective, only_head_trainable, scope):
    only_head_trainable(network)
    network.train()
    network.bn1.eval()
    network.fc.bias.grad = torch.ones(5)
    network.stem.weight.grad = torch.ones_like(network.stem.weight)
    prober = Prober(network, objective, probe_set, all_settings(network, scope=scope))
    before = snapshot(network)
    with torch.no_grad():  # a caller's mode must neither break the probes nor be changed by them
        inside = snapshot(network)
        prober.measure(1, OF_WEIGHTS)
        assert snapshot(network) == inside
    assert snapshot(network) == before


@pytest.mark.parametrize("scope", ["trainable", "all"])
@pytest.mark.parametrize("polls", [0, 1, 4, 8, 14])
def test_an_interrupted_measurement_leaves_no_trace(network, probe_set, objective, only_head_trainable, scope, polls):
    only_head_trainable(network)
    prober = Prober(network, objective, probe_set, all_settings(network, scope=scope))
    asked = []

    def should_stop():
        asked.append(None)
        return len(asked) > polls

    before = snapshot(network)
    with pytest.raises(Interrupted):
        prober.measure(1, OF_WEIGHTS, should_stop)
    assert snapshot(network) == before
    assert prober.state_dict() == {}


@pytest.mark.parametrize("scope", ["trainable", "all"])
def test_the_same_weights_give_the_same_bits_again_and_in_a_new_prober(
    network, probe_set, objective, only_head_trainable, scope
):
    only_head_trainable(network)
    settings = all_settings(network, scope=scope)
    prober = Prober(network, objective, probe_set, settings)
    first, again, anew = (
        {measurement.key: measurement.value for measurement in source.measure(1, OF_WEIGHTS)}
        for source in (prober, prober, Prober(network, objective, probe_set, settings))
    )
    assert again == anew == first
    torch.manual_seed(99)
    later = by_key(prober.measure(10))
    assert {key: measurement.value for key, measurement in later.items()} == {key: first[key] for key in later}
    assert later["probe/fisher_trace"].change_standard_error == 0.0


def test_keys_counts_and_order(network, probe_set, objective):
    found = Prober(network, objective, probe_set, all_settings(network)).measure(1, ["sharpness_worst", "fisher_trace"])
    assert [measurement.key for measurement in found] == [
        "probe/sharpness_worst",
        "probe/sharpness_worst_gradients",
        "probe/fisher_trace",
        "probe/fisher_trace_sum",
        "probe/fisher_trace_num_parameters",
        "probe/label_uncertainty",
        "probe/feature_norm_squared",
    ]
    trace, total, count = found[2:5]
    num_parameters = sum(parameter.numel() for parameter in network.parameters())
    assert count.value == num_parameters
    assert trace.value == pytest.approx(total.value / num_parameters)
    assert all(m.standard_error is None for m in (found[1], *found[3:]))
    assert found[0].seconds > 0
    assert found[2].seconds > 0


def test_one_feature_forward_serves_all_signals_of_the_head(network, probe_set, objective, only_head_trainable):
    only_head_trainable(network)
    prober = Prober(network, objective, probe_set, ProbeSettings(seed=0))
    prober.check()
    network.forwards = 0
    prober.measure(1)
    assert network.forwards == len(probe_set.batches)


def test_passes_of_the_general_fisher_trace(network, points, objective):
    """One forward and one backward pass per micro-batch of 64, after the rules were checked once."""
    many = ProbeSet.split(points[0].repeat(12, 1, 1, 1), points[1].repeat(12), batch_size=100)  # 156 points
    prober = Prober(network, objective, many, all_settings(network))
    prober.measure(1, ["fisher_trace"])
    backwards = []
    network.fc.register_full_backward_hook(lambda *_: backwards.append(1))
    network.forwards = 0
    prober.measure(10, ["fisher_trace"])
    assert network.forwards == 3
    assert len(backwards) == 3


def test_the_closed_forms_agree_with_the_general_path(network, probe_set, objective, only_head_trainable):
    only_head_trainable(network)
    closed = by_key(Prober(network, objective, probe_set, ProbeSettings(seed=0)).measure(1))
    without_head = type(objective)()
    general = by_key(Prober(network, without_head, probe_set, ProbeSettings(seed=0, labels="exact")).measure(1))
    for metric in PAPER_SIGNALS:
        one, other = closed[f"probe/{metric}"], general[f"probe/{metric}"]
        assert one.value == pytest.approx(other.value, rel=1e-3, abs=1e-7)
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-3)


@pytest.mark.parametrize("scope", ["trainable", "all"])
def test_errors_of_changes_are_those_of_paired_differences(network, probe_set, objective, only_head_trainable, scope):
    only_head_trainable(network)
    prober = Prober(network, objective, probe_set, all_settings(network, scope=scope, tau=2, every=10))
    vectors, found = [], []
    for update in (1, 10, 20):
        found.append(by_key(prober.measure(update)))
        state = prober.state_dict()
        vectors.append({name.split("/")[1]: v for name, v in state.items() if name.startswith(f"{update}/")})
        nudge(network)
    formulas = {
        "fisher_trace": error_over_points,
        "sharpness_avg": lambda vector: error_over_draws_and_points(vector, probe_set.sizes),
        "sharpness_worst": lambda vector: error_within_batches(vector, probe_set.sizes),
    }
    for metric, formula in formulas.items():
        first, second, third = (measurements[f"probe/{metric}"] for measurements in found)
        assert (first.change_standard_error, first.span_standard_error) == (None, None)
        assert second.span_standard_error is None
        assert third.standard_error == formula(vectors[2][metric])
        assert third.change_standard_error == formula(vectors[2][metric] - vectors[1][metric])
        assert third.span_standard_error == formula(vectors[2][metric] - vectors[0][metric])
        assert 0 < third.change_standard_error < third.standard_error


def test_unfreezing_makes_the_errors_of_changes_unknown(network, probe_set, objective, only_head_trainable):
    only_head_trainable(network)
    prober = Prober(network, objective, probe_set, ProbeSettings(seed=0))
    prober.measure(1)
    network.hidden.weight.requires_grad_(True)
    after = by_key(prober.measure(10))
    assert all(after[f"probe/{metric}"].change_standard_error is None for metric in PAPER_SIGNALS)
    assert all(after[f"probe/{metric}"].standard_error is not None for metric in PAPER_SIGNALS)


def test_a_resumed_prober_gives_the_errors_of_the_uninterrupted_one(network, probe_set, objective, only_head_trainable):
    only_head_trainable(network)
    settings = ProbeSettings(seed=0, tau=2)
    prober, resumed = (Prober(network, objective, probe_set, settings) for _ in range(2))
    for update in (1, 10):
        prober.measure(update)
        nudge(network)
    prober.measure(20)
    resumed.load_state_dict(prober.state_dict())
    resumed.measure(20)  # a boundary measured again after the resume replaces itself
    nudge(network)
    expected, found = by_key(prober.measure(30)), by_key(resumed.measure(30))
    for key, measurement in expected.items():
        assert found[key].change_standard_error == measurement.change_standard_error
        assert found[key].span_standard_error == measurement.span_standard_error
    assert expected["probe/sharpness_avg"].span_standard_error is not None


def test_the_batch_identity_has_no_errors(network, probe_set, objective):
    prober = Prober(network, objective, probe_set, all_settings(network, estimator="batch"))
    found = by_key(prober.measure(1, ["fisher_trace"]))["probe/fisher_trace"]
    assert found.value > 0
    assert found.standard_error is None


def test_the_last_iterate_can_be_the_value(network, probe_set, objective):
    settings = all_settings(network, search="apgd", worst_value="last", rho=3.0, iterations=3)
    found = by_key(Prober(network, objective, probe_set, settings).measure(1, ["sharpness_worst"]))
    best = all_settings(network, search="apgd", rho=3.0, iterations=3)
    other = by_key(Prober(network, objective, probe_set, best).measure(1, ["sharpness_worst"]))
    assert found["probe/sharpness_worst"].value == other["probe/sharpness_worst_last"].value
    assert other["probe/sharpness_worst"].value >= found["probe/sharpness_worst"].value


class Hilltop(nn.Module):
    """One weight, 0.1 below the top of a hill: the loss is 1 - (w - 0.1)^2, whatever the inputs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs):
        return 1 - (self.weight - 0.1).square().expand(len(inputs), 1)


class HilltopObjective:
    def logits(self, model, batch):
        return [model(batch[0])]

    def loss(self, model, batch):
        return model(batch[0]).squeeze(1).double()


@pytest.mark.parametrize(("worst_value", "expected"), [("best", 0.0), ("last", 0.1**2 - 0.65**2)])
def test_the_last_iterate_may_be_below_the_clean_loss_and_the_best_never(worst_value, expected):
    """One iteration steps over the top, to 0.75 = rho times the momentum."""
    settings = ProbeSettings(seed=0, rho=1.0, iterations=1, search="apgd", worst_value=worst_value)
    prober = Prober(Hilltop(), HilltopObjective(), ProbeSet([(torch.zeros(4, 1),)]), settings)
    found = by_key(prober.measure(1, ["sharpness_worst"]))
    assert found["probe/sharpness_worst"].value == pytest.approx(expected, abs=1e-6)
    assert found["probe/sharpness_worst_last"].value == pytest.approx(0.1**2 - 0.65**2, abs=1e-6)


@pytest.mark.parametrize(("rho", "expected"), [(0.05, 0.1**2 - 0.05**2), (1.0, 0.1**2)])
def test_a_search_on_the_sphere_looks_inside_where_the_sphere_is_lower_than_its_centre(rho, expected):
    prober = Prober(
        Hilltop(), HilltopObjective(), ProbeSet([(torch.zeros(4, 1),)]), ProbeSettings(seed=0, rho=rho, iterations=40)
    )
    found = by_key(prober.measure(1, ["sharpness_worst"]))
    assert found["probe/sharpness_worst"].value == pytest.approx(expected, abs=1e-4)
    assert found["probe/sharpness_worst_gradients"].value == (4 + 40 if rho == 1.0 else 4)


def test_autocast_does_not_hide_the_perturbation(network, probe_set, objective):
    """Within one autocast region, weights changed in place would be read from their stale casts."""
    prober = Prober(network, objective, probe_set, all_settings(network, rho=0.5))
    plain = by_key(prober.measure(1, ["sharpness_avg"]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = by_key(prober.measure(10, ["sharpness_avg"]))
    assert inside["probe/sharpness_avg"].value == plain["probe/sharpness_avg"].value != 0


def test_diverged_weights_give_values_without_errors(network, probe_set, objective, only_head_trainable):
    only_head_trainable(network)
    nn.init.constant_(network.fc.weight, float("nan"))
    found = by_key(Prober(network, objective, probe_set, ProbeSettings(seed=0)).measure(1))
    for metric in PAPER_SIGNALS:
        assert found[f"probe/{metric}"].value != found[f"probe/{metric}"].value
        assert found[f"probe/{metric}"].standard_error is None


def test_settings_and_metrics_that_make_no_sense_are_the_users_mistake(network, probe_set, objective):
    with pytest.raises(UserError, match="probe rho is 0"):
        ProbeSettings(seed=0, rho=0)
    with pytest.raises(UserError, match="probe cache_bytes is -1"):
        ProbeSettings(seed=0, cache_bytes=-1)
    with pytest.raises(UserError, match=r"probe.labels is exact"):
        ProbeSettings(seed=0, labels="exact", estimator="batch")
    with pytest.raises(UserError, match="unknown probe metric 'sharpness'"):
        Prober(network, objective, probe_set, ProbeSettings(seed=0)).measure(1, ["sharpness"])


def test_sampled_labels_agree_with_exact_ones_within_the_stated_error(network, points, objective):
    """Two of the network's blocks and the head in scope; 4,000 points drawn from 13 whose exact value is the truth."""
    names = [name for name, _ in network.named_parameters() if name.startswith(("conv", "bn2", "hidden", "fc"))]
    settings = {"seed": 5, "scope": "all", "all_parameter_names": names}
    chosen = torch.randint(0, 13, (4000,), generator=torch.Generator().manual_seed(6))
    drawn = ProbeSet.split(points[0][chosen], points[1][chosen], batch_size=256)
    (exact, *_) = Prober(network, objective, ProbeSet([points]), ProbeSettings(**settings, labels="exact")).measure(1)
    (sampled, *_) = Prober(network, objective, drawn, ProbeSettings(**settings)).measure(1, ["fisher_trace"])
    assert abs(sampled.value - exact.value) < 4 * sampled.standard_error
    assert sampled.standard_error < 0.05 * exact.value


def test_at_most_a_micro_batch_of_examples_goes_through_the_network_at_once(network, points):
    sizes = []
    network.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    for head_name in ("fc", None):
        objective = ClassificationObjective(head_name, first_layer_name="fc")
        for scope in ("trainable", "all"):
            sizes.clear()
            settings = all_settings(network, scope=scope, micro_batch=3, draws=2, iterations=2)
            Prober(network, objective, ProbeSet([points]), settings, ["stem"]).measure(1, OF_WEIGHTS)
            assert max(sizes) == 3
