import pytest
from torch import nn

from thawline.eval_mode import eval_mode


class Merging(nn.Linear):
    """Merges weights when it is told to evaluate, as libraries of adapters do."""

    def train(self, mode: bool = True) -> "Merging":
        self.merged = not mode
        return super().train(mode)


@pytest.fixture
def model() -> nn.Sequential:
    """In training, but for one layer."""
    model = nn.Sequential(nn.Sequential(nn.Dropout(0.5)), nn.BatchNorm1d(2), Merging(2, 2))
    model.train()
    model[1].eval()
    return model


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


def test_every_module_evaluates_and_then_has_its_own_mode_again(model):
    before = modes(model)
    assert before.count(False) == 1
    with eval_mode(model):
        assert modes(model) == [False] * len(before)
    assert modes(model) == before


def test_after_an_error_too(model):
    before = modes(model)
    with pytest.raises(ZeroDivisionError), eval_mode(model):
        raise ZeroDivisionError
    assert modes(model) == before


def test_what_a_library_does_on_a_change_of_mode_is_not_done(model):
    with eval_mode(model):
        assert not model[2].merged


def test_by_the_models_own_method_it_is_done(model):
    before = modes(model)
    with eval_mode(model, by_method=True):
        assert model[2].merged
        assert modes(model) == [False] * len(before)
    assert modes(model) == before
