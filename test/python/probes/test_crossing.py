import pytest
import torch
from torch import Tensor, nn

from thawline.probes.crossing import Crossing, Cut, Placeholders, beginning_at, recording, swapped_forward

INPUTS = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


class Counting(nn.Linear):
    calls = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(inputs)


class ThreeStages(nn.Module):
    """Work between the stages and after them is the model's own; the middle one is followed by one in place."""

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.middle, self.upper = (Counting(4, 4) for _ in range(3))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.tanh(self.lower(inputs))
        hidden = self.middle(hidden).relu_()
        return 2 * self.upper(hidden)


@pytest.fixture
def model() -> ThreeStages:
    torch.manual_seed(0)
    return ThreeStages().requires_grad_(False)


@pytest.fixture
def cut(model: ThreeStages) -> Cut:
    return Cut((model.lower, model.middle), model.upper, [])


def recorded(model: ThreeStages, cut: Cut, inputs: Tensor = INPUTS) -> tuple[Tensor, Crossing]:
    with recording(cut, Placeholders()) as crossing:
        return model(inputs), crossing


def test_a_pass_that_begins_at_the_cut_gives_the_same_bits_without_the_stages_below(model, cut):
    whole, crossing = recorded(model, cut)
    assert crossing.is_complete(cut)
    with beginning_at(cut, crossing):
        for _ in range(2):
            assert torch.equal(model(INPUTS), whole)
    assert (model.lower.calls, model.middle.calls, model.upper.calls) == (1, 1, 3)


def test_afterwards_the_model_is_its_own_again(model, cut):
    _, crossing = recorded(model, cut)
    with pytest.raises(ZeroDivisionError), beginning_at(cut, crossing):
        raise ZeroDivisionError
    for stage in (model.lower, model.middle, model.upper):
        assert not stage._forward_hooks
        assert not stage._forward_pre_hooks
        assert "forward" not in vars(stage)
    others = torch.ones(2, 4)
    expected = 2 * model.upper(model.middle(torch.tanh(model.lower(others))).relu())
    assert torch.equal(model(others), expected)


def test_what_was_recorded_is_out_of_reach_of_work_in_place(model, cut):
    with swapped_forward(model.upper, lambda hidden: hidden.mul_(3)):
        whole, crossing = recorded(model, cut)
        with beginning_at(cut, crossing):
            for _ in range(2):
                assert torch.equal(model(INPUTS), whole)


def test_whoever_reads_a_placeholder_shows_it(model, cut):
    _, crossing = recorded(model, cut)
    with beginning_at(cut, crossing):
        assert model.middle(INPUTS).isnan().all()


@pytest.mark.parametrize(
    "order", [("middle", "lower", "upper"), ("lower", "lower", "middle", "upper"), ("lower", "upper")]
)
def test_stages_that_do_not_run_once_in_their_order_are_no_complete_crossing(model, cut, order):
    with recording(cut, Placeholders()) as crossing:
        for name in order:
            model.get_submodule(name)(INPUTS)
    assert not crossing.is_complete(cut)


def test_placeholders_have_the_form_of_what_they_stand_for():
    placeholders = Placeholders()
    hidden = torch.zeros(2, 3)
    found = placeholders.stand_for((hidden, [torch.ones(2, 3), torch.arange(4)], None, "text"))
    assert isinstance(found, tuple)
    assert found[0].shape == (2, 3)
    assert found[0].isnan().all()
    assert found[1][0] is found[0]  # One for a shape: they may be as many as the layers.
    assert torch.equal(found[1][1], torch.arange(4))
    assert found[2:] == (None, "text")
    assert placeholders.stand_for(hidden.double()).dtype == torch.float64


def test_a_swapped_forward_of_the_instance_comes_back(model):
    own = model.lower.forward
    model.lower.forward = own
    with swapped_forward(model.lower, lambda inputs: -inputs):
        assert torch.equal(model.lower(INPUTS), -INPUTS)
    assert vars(model.lower)["forward"] == own
