import pytest
import torch

from thawline.probes.history import EigenvectorHistory, SignalHistory


def filled(every, tau, updates, start=1):
    history = SignalHistory(every, tau, start)
    for update in updates:
        history.record(update, "m", "scope", torch.tensor([float(update)]))
    return history


@pytest.mark.parametrize(
    ("every", "update", "back", "expected"),
    [(10, 10, 1, 1), (10, 20, 1, 10), (10, 30, 3, 1), (10, 40, 3, 10), (1, 2, 1, 1), (1, 4, 3, 1), (2, 2, 1, 1)],
)
def test_points_are_boundary_one_and_the_multiples_of_every(every, update, back, expected):
    updates = [1, *range(every, update + 1, every)]
    assert filled(every, 4, updates).partner(update, back, "m", "scope").tolist() == [expected]


@pytest.mark.parametrize(
    ("every", "update", "back", "expected"),
    [(10, 44, 1, 35), (10, 54, 2, 35), (10, 64, 3, 35), (10, 74, 3, 44), (1, 36, 1, 35), (1, 38, 3, 35)],
)
def test_points_are_counted_from_a_later_start(every, update, back, expected):
    updates = [35, *(34 + index for index in range(every, update - 33, every))]
    assert filled(every, 4, updates, start=35).partner(update, back, "m", "scope").tolist() == [expected]


def test_a_boundary_before_the_start_is_no_point():
    history = filled(10, 3, [1, 10, 34, 35], start=35)
    assert [name.split("/")[0] for name in history.state_dict()] == ["35"]
    assert history.partner(44, 1, "m", "scope").tolist() == [35.0]
    assert history.partner(34, 1, "m", "scope") is None


def test_no_partner_before_the_first_point_off_the_grid_or_for_another_scope_or_metric():
    history = filled(10, 3, [1, 10, 15, 20])
    assert history.partner(1, 1, "m", "scope") is None
    assert history.partner(10, 2, "m", "scope") is None
    assert history.partner(15, 1, "m", "scope") is None
    assert history.partner(20, 1, "m", "other scope") is None
    assert history.partner(20, 1, "other metric", "scope") is None


def test_the_newest_and_tau_before_it_are_kept():
    history = filled(10, 3, [1, 10, 20, 30, 40, 50])
    assert sorted(int(name.split("/")[0]) for name in history.state_dict()) == [20, 30, 40, 50]


def test_measuring_again_replaces():
    history = filled(10, 3, [1, 10, 20])
    history.record(10, "m", "scope", torch.tensor([-1.0]))
    assert history.partner(20, 1, "m", "scope").tolist() == [-1.0]
    assert len(history.state_dict()) == 3


def test_state_comes_back_whole():
    history = filled(10, 3, [1, 10, 20])
    restored = SignalHistory(10, 3)
    restored.load_state_dict(history.state_dict())
    for back in (1, 2):
        assert torch.equal(restored.partner(20, back, "m", "scope"), history.partner(20, back, "m", "scope"))


def test_a_search_starts_from_the_last_boundary_before_also_when_one_is_measured_again():
    history = EigenvectorHistory()
    assert history.before(1, "scope") is None
    for update in (1, 10, 20, 20):
        history.record(update, "scope", torch.tensor([float(update)]))
    assert history.before(30, "scope").tolist() == [20.0]
    assert history.before(20, "scope").tolist() == [10.0]
    assert history.before(10, "scope") is None
    assert history.before(30, "other scope") is None
    restored = EigenvectorHistory()
    restored.load_state_dict(history.state_dict())
    assert restored.before(20, "scope").tolist() == [10.0]
    history.record(10, "scope", torch.tensor([-1.0]))  # a run that went back knows no later boundary
    assert history.before(30, "scope").tolist() == [-1.0]


@pytest.mark.parametrize(("every", "kept"), [(20, [1, 20, 40]), (30, [1, 30]), (60, [1]), (10, [1, 10, 20, 30, 40])])
def test_on_another_grid_later_points_are_compared_with_those_on_it_alone(every, kept):
    history = filled(10, 4, [1, 10, 20, 30, 40])
    history.regrid(every)
    history.regrid(every)
    assert sorted(int(name.split("/")[0]) for name in history.state_dict()) == kept
    later = (40 // every + 1) * every
    assert history.partner(later, 1, "m", "scope").tolist() == [kept[-1]]
    assert history.partner(later, len(kept), "m", "scope").tolist() == [1]
    history.record(later, "m", "scope", torch.tensor([0.0]))
    assert sorted(int(name.split("/")[0]) for name in history.state_dict()) == [*kept, later][-5:]


def test_a_history_without_points_takes_another_grid():
    history = filled(10, 3, [])
    history.regrid(30)
    history.record(30, "m", "scope", torch.tensor([30.0]))
    assert history.partner(60, 1, "m", "scope").tolist() == [30.0]
