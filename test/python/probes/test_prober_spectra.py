"""What a boundary tells beside the signals: the top of the Hessian's spectrum, and the spectrum of the features."""

import pytest
import torch
from torch import nn

from thawline.errors import UserError
from thawline.probes import ClassificationObjective, Prober, ProbeSettings
from thawline.probes.feature_spectrum import feature_spectrum


def everything_in_scope(network, scope="all"):
    names = tuple(name for name, _ in network.named_parameters())
    return ProbeSettings(seed=1, scope=scope, all_parameter_names=names)


def test_descriptions_have_companions_and_no_errors(network, probe_set, objective):
    names = ["hessian_lambda_max", "feature_lambda_max", "feature_rank"]
    found = Prober(network, objective, probe_set, everything_in_scope(network)).measure(1, names)
    assert [measurement.key for measurement in found] == [
        "probe/hessian_lambda_max",
        "probe/hessian_lambda_max_residual",
        "probe/feature_lambda_max",
        "probe/feature_rank",
        "probe/feature_numerical_rank",
        "probe/feature_entropy_rank",
    ]
    assert all(m.standard_error is m.change_standard_error is m.span_standard_error is None for m in found)
    assert found[1].value <= 1e-3 * found[0].value


def move(network):
    """A small update."""
    with torch.no_grad():
        network.fc.weight.mul_(1.002)


@pytest.mark.parametrize("scope", ["trainable", "all"])
def test_the_search_for_the_eigenvector_starts_at_the_boundary_before(
    network, probe_set, objective, only_head_trainable, scope
):
    only_head_trainable(network)
    settings = everything_in_scope(network, scope=scope)
    prober, resumed, fresh = (Prober(network, objective, probe_set, settings) for _ in range(3))

    def largest(source, update):
        """The value, and how many terms of the loss it took to find it."""
        terms = []
        source.measure(update, ["feature_lambda_max"])  # The features are there from now on, and count for nobody.
        measurement, _ = source.measure(update, ["hessian_lambda_max"], lambda: terms.append(1) is not None)
        return measurement.value, len(terms)

    cold = largest(prober, 1)
    move(network)
    warm = largest(prober, 10)
    assert warm[1] < cold[1]
    assert warm[0] == pytest.approx(largest(fresh, 10)[0], rel=2e-3)

    resumed.load_state_dict(prober.state_dict())
    assert largest(resumed, 10) == warm  # measured again after a resume: the same start, the same bits
    move(network)
    assert largest(resumed, 20) == largest(prober, 20)


def test_one_feature_forward_serves_rank_and_eigenvalue(network, probe_set, objective):
    prober = Prober(network, objective, probe_set, everything_in_scope(network))
    prober.check()
    network.forwards = 0
    prober.measure(1, ["feature_lambda_max", "feature_rank"])
    assert network.forwards == len(probe_set.batches)


def test_features_of_the_closed_form_and_of_the_general_path_are_the_same(
    network, probe_set, objective, only_head_trainable
):
    only_head_trainable(network)
    names = ["feature_lambda_max", "feature_rank"]
    head, everything = (
        {m.key: m.value for m in Prober(network, objective, probe_set, settings).measure(1, names)}
        for settings in (ProbeSettings(seed=0), everything_in_scope(network))
    )
    assert head == everything


@pytest.mark.parametrize("scope", ["trainable", "all"])
def test_the_features_of_a_head_of_several_layers_are_the_input_of_the_first(network, probe_set, scope):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(("hidden.", "fc.")))
    objective = ClassificationObjective(first_layer_name="hidden")
    measured = Prober(network, objective, probe_set, everything_in_scope(network, scope)).measure(1, ["feature_rank"])
    inputs = []
    handle = network.hidden.register_forward_hook(lambda module, given, output: inputs.append(given[0].detach()))
    network.eval()
    for images, _ in probe_set.batches:
        network(images)
    handle.remove()
    spectrum = feature_spectrum(torch.cat(inputs))
    assert [m.value for m in measured] == [spectrum.rank, spectrum.numerical_rank, spectrum.entropy_rank]


def test_features_of_a_model_without_a_linear_head_are_the_users_mistake(network, probe_set, objective):
    prober = Prober(network, type(objective)(), probe_set, everything_in_scope(network))
    with pytest.raises(UserError, match="the model has no head that begins with a linear layer"):
        prober.measure(1, ["feature_rank"])


def test_diverged_weights_have_no_spectrum_and_leave_no_eigenvector(network, probe_set, objective):
    nn.init.constant_(network.stem.weight, float("nan"))
    prober = Prober(network, objective, probe_set, everything_in_scope(network))
    found = prober.measure(1, ["hessian_lambda_max", "feature_lambda_max", "feature_rank"])
    assert all(measurement.value != measurement.value for measurement in found)
    assert prober.state_dict() == {}
