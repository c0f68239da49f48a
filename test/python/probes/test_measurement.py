from functools import partial

import pytest
import torch

from thawline.probes.boundary_probe import Signal
from thawline.probes.measurement import MeasurementHistory
from thawline.probes.scope import resolve_scope
from thawline.probes.standard_errors import error_over_points

TAU = 2


@pytest.fixture
def scope(network):
    return resolve_scope(network, "trainable")


@pytest.fixture
def head(network, only_head_trainable):
    only_head_trainable(network)
    return resolve_scope(network, "trainable")


def vector_at(update):
    return torch.randn(50, generator=torch.Generator().manual_seed(update), dtype=torch.float64)


def signal_of(vector, **changes):
    fields = {"value": 0.5, "vector": vector, "error": error_over_points, "companions": {}}
    return Signal(**{**fields, **changes})


def measured(history, scope, update, **changes):
    signal = signal_of(**{"vector": vector_at(update), **changes})
    return history.measurements(update, "fisher_trace", scope, signal, 1.5)[0]


def test_errors_are_those_of_the_vector_and_of_its_differences_to_one_and_to_tau_points_before(scope):
    history = MeasurementHistory(every=10, tau=TAU, start=1)
    found = [measured(history, scope, update) for update in (1, 10, 20, 30)]
    assert [point.standard_error for point in found] == [error_over_points(vector_at(u)) for u in (1, 10, 20, 30)]
    difference = partial(torch.sub, vector_at(30))
    assert found[3].change_standard_error == error_over_points(difference(vector_at(20)))
    assert found[3].span_standard_error == error_over_points(difference(vector_at(10)))
    assert [point.change_standard_error is None for point in found] == [True, False, False, False]
    assert [point.span_standard_error is None for point in found] == [True, True, False, False]
    assert (found[0].key, found[0].value, found[0].seconds) == ("probe/fisher_trace", 0.5, 1.5)


def test_points_of_another_scope_are_no_partners(scope, head):
    history = MeasurementHistory(every=10, tau=TAU, start=1)
    measured(history, scope, 10)
    assert measured(history, head, 20).change_standard_error is None
    assert measured(history, head, 30).change_standard_error is not None


def test_a_value_without_a_vector_has_no_errors_and_leaves_none(scope):
    history = MeasurementHistory(every=10, tau=TAU, start=1)
    measured(history, scope, 10, vector=None)
    found = measured(history, scope, 20)
    assert found.standard_error is not None
    assert found.change_standard_error is None


def test_companions_follow_their_signal_without_errors(scope):
    signal = signal_of(vector_at(1), companions={"fisher_trace_sum": 7.0, "label_uncertainty": 0.2})
    signal, *companions = MeasurementHistory(10, TAU, 1).measurements(1, "fisher_trace", scope, signal, 0.0)
    assert signal.standard_error is not None
    assert [(one.key, one.value, one.standard_error) for one in companions] == [
        ("probe/fisher_trace_sum", 7.0, None),
        ("probe/label_uncertainty", 0.2, None),
    ]


def test_what_a_resumed_run_needs_comes_back_from_its_state(scope):
    history, resumed = (MeasurementHistory(every=10, tau=TAU, start=1) for _ in range(2))
    eigenvector = torch.randn(4)
    for update in (10, 20):
        measured(history, scope, update, eigenvector=eigenvector)
    resumed.load_state_dict(history.state_dict())
    assert torch.equal(resumed.earlier_eigenvector(30, scope), eigenvector)
    assert measured(resumed, scope, 30) == measured(history, scope, 30)


def test_what_is_kept_is_bounded_however_long_the_run(scope):
    history = MeasurementHistory(every=10, tau=TAU, start=1)
    for update in range(10, 1000, 10):
        measured(history, scope, update, eigenvector=torch.zeros(4))
    assert len(history.state_dict()) == (TAU + 1) + 2
